"""Ligands and receptors, exosomes, origin and targets of the clusters."""

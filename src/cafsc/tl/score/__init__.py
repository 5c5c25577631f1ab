"""Scores of gene sets in the kept fibroblasts, and what they are worth."""

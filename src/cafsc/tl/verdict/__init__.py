"""Claims of the literature about each cluster, weighed into a call."""

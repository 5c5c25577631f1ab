"""Which cells are fibroblasts: lineages compete, and every refusal has a reason."""

from annotated import adata, empty

__all__ = ["adata", "empty"]

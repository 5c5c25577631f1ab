"""Blocks of a chunked HDF5 dataset that are not where they belong, and would be read as zeros without a word."""

from __future__ import annotations

import math
from itertools import product

import h5py

_MOST_EMPTY = 100


def _n_places(dataset: h5py.Dataset) -> int:
    return math.prod(-(-size // block) for size, block in zip(dataset.shape, dataset.chunks, strict=True))


def _is_found(dataset: h5py.Dataset, place: tuple[int, ...]) -> bool:
    # What lists the blocks, get_chunk_info_by_coord too, does not search the index as reading does.
    try:
        dataset.id.read_direct_chunk(place)
    except (RuntimeError, OSError):
        return False
    return True


def _n_found(dataset: h5py.Dataset) -> int:
    """Blocks that HDF5 finds when it asks for each by its place, as reading does."""
    starts = [range(0, size, block) for size, block in zip(dataset.shape, dataset.chunks, strict=True)]
    return sum(_is_found(dataset, place) for place in product(*starts))


def missing_chunks(dataset: h5py.Dataset) -> int:
    """Blocks of a dataset that were never written, or cannot be found."""
    if not dataset.size:
        return 0
    if dataset.chunks is None:
        return int(dataset.id.get_storage_size() == 0)
    n_places = _n_places(dataset)
    if dataset.id.get_num_chunks() < n_places:
        return int(n_places - dataset.id.get_num_chunks())
    return n_places - _n_found(dataset)


def has_lost_chunks(dataset: h5py.Dataset) -> bool:
    """Whether there are blocks in the file that reading does not find: their index is damaged.

    A dataset that was written in parts only is none of these; where it is nearly empty, it is not looked through.
    """
    if not dataset.size or dataset.chunks is None:
        return False
    n_stored = dataset.id.get_num_chunks()
    return bool(_n_places(dataset) <= _MOST_EMPTY * (n_stored + 1) and _n_found(dataset) < n_stored)

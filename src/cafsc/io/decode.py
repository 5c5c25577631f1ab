"""Decode once what is more than plain numbers, so that whatever a decoder makes of it happens here."""

from __future__ import annotations

from typing import Any

import h5py

_BLOCK = 65_536
# Inflate, byte shuffle, checksum and LZF: decoders without parameters that a file could twist.
_PLAIN_FILTERS = {1, 2, 3, 32000}


def missing_filter(dataset: h5py.Dataset) -> str:
    """Name and number of a filter that a dataset is packed by and this HDF5 does not have, or nothing."""
    listed = dataset.id.get_create_plist()
    for number in range(listed.get_nfilters()):
        code, _, _, name = listed.get_filter(number)
        if not h5py.h5z.filter_avail(code):
            words = f"{name.decode('ascii', 'replace')}, " if name else ""
            return f"{words}HDF5 filter {code}"
    return ""


def _is_plain(dataset: h5py.Dataset) -> bool:
    if dataset.dtype.kind not in "biuf":
        return False
    listed = dataset.id.get_create_plist()
    return all(listed.get_filter(number)[0] in _PLAIN_FILTERS for number in range(listed.get_nfilters()))


def read_attributes(item: h5py.Group | h5py.Dataset | h5py.Datatype) -> dict[str, Any]:
    """Every attribute of an object."""
    return dict(item.attrs.items())


def decode(dataset: h5py.Dataset) -> None:
    """Read all of a dataset whose values are text, compound or packed in an unusual way, and forget it.

    Plain numbers are left alone: they are copied or inflated, and are by far the most bytes.
    """
    if dataset.shape is None or _is_plain(dataset):
        return
    if not dataset.shape:
        dataset[()]
        return
    step = max(1, _BLOCK * dataset.shape[0] // max(1, int(dataset.size)))
    for start in range(0, dataset.shape[0], step):
        dataset[start : start + step]

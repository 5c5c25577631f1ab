"""Look through an HDF5 file before anything trusts it.

An HDF5 file can pull in other files (external links, external storage, virtual datasets), link in circles and
claim sizes that it does not hold. None of this occurs in a file that a single-cell pipeline wrote.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import product, repeat
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cafsc.errors import InputError
from cafsc.io.limits import refuse_impossible

MAX_DEPTH = 64
SPARSE_PARTS = ("data", "indices", "indptr")
SPARSE_AXIS = {"csr_matrix": 0, "csc_matrix": 1, "csr": 0, "csc": 1}
_MAX_OBJECTS = 200_000
_READ_AT_ONCE = 2**22
_MOST_EMPTY = 100
# Inflate, byte shuffle, checksum and LZF: decoders without parameters that a file could twist.
_PLAIN_FILTERS = {1, 2, 3, 32000}
_NOT_NEEDED = "/uns/"
_has_filter = h5py.h5z.filter_avail
Above = tuple[int, ...]
"""Addresses of the groups above an object."""


def damaged(path: Path, what: str) -> InputError:
    """Error for a file whose structure contradicts itself."""
    return InputError(
        f"{path}: damaged: {what}",
        expected="a whole file as anndata or Cell Ranger writes it",
        fix="copy or download the file again, or write it again from its source",
    )


def hostile(path: Path, what: str) -> InputError:
    """Error for a file that leads out of itself, or would run what it holds."""
    fix = "if you trust its origin, load it with anndata and write it again as a plain h5ad"
    return InputError(f"{path}: refused: {what}", expected="plain data in the input itself", fix=fix)


def cause(error: BaseException) -> str:
    """What a library says of damaged bytes, and of which part, in one line."""
    said = [str(error) or type(error).__name__, *getattr(error, "__notes__", ())[:1]]
    text = " ".join("; ".join(said).split())
    if "filter" in text or "inflate" in text:
        text = f"a compressed block is corrupt and cannot be decompressed ({text})"
    return text if len(text) <= 300 else f"{text[:297]}..."


def _inner(text: str) -> str:
    """HDF5's own words, which it puts in brackets at the end."""
    return text.rpartition("(")[2].rstrip(")")[:120] if "(" in text else text.splitlines()[0][:120]


def open_hdf5(path: Path) -> h5py.File:
    """Open an HDF5 file for reading; `InputError` where it is truncated, not closed by its writer, or damaged."""
    try:
        return h5py.File(path, "r", locking="best-effort")
    except OSError as error:
        text = str(error)
        if "truncated" in text:
            found = f"{path}: is truncated: the end of the file is missing"
        elif any(word in text for word in ("already open for write", "consistency flags", "SWMR")):
            found = f"{path}: was not closed by the program that wrote it, or is still being written"
        else:
            raise damaged(path, f"HDF5 cannot open it ({_inner(text)})") from error
        fix = "wait for its writer to end; or copy, download or write it again"
        raise InputError(found, expected="a complete file", fix=fix) from error


def missing_chunks(dataset: h5py.Dataset, *, unwritten: bool = True) -> int:
    """Blocks that would be read as zeros without a word: never written, or in the file and not found there.

    Those that were never written count only if `unwritten`: a dense matrix may leave them out.
    """
    if not dataset.size:
        return 0
    if dataset.chunks is None:
        return int(unwritten and dataset.id.get_storage_size() == 0)
    n_places = math.prod(-(-size // block) for size, block in zip(dataset.shape, dataset.chunks, strict=True))
    n_stored = int(dataset.id.get_num_chunks())
    if unwritten and n_stored < n_places:
        return int(n_places - n_stored)
    if not unwritten and n_places > _MOST_EMPTY * (n_stored + 1):
        return 0
    n_found, starts = 0, map(range, repeat(0), dataset.shape, dataset.chunks)
    # Each is asked for by its place, as reading does; listing them searches less.
    for place in product(*starts):
        with suppress(RuntimeError, OSError):
            dataset.id.read_direct_chunk(place)
            n_found += 1
    return max(n_stored - n_found, 0)


def _filters(dataset: h5py.Dataset) -> list[tuple[int, str]]:
    """Number and name of each filter that a dataset is packed by."""
    listed = dataset.id.get_create_plist()
    found = [listed.get_filter(number) for number in range(listed.get_nfilters())]
    return [(code, name.decode("ascii", "replace")) for code, _, _, name in found]


def _inspect_dataset(path: Path, name: str, dataset: h5py.Dataset) -> None:
    if dataset.external:
        raise hostile(path, f"{name} maps the bytes of another file (HDF5 external storage)")
    if dataset.is_virtual:
        raise hostile(path, f"{name} is a virtual dataset, whose data lie in other files")
    absent = [f"{words}, HDF5 filter {code}" for code, words in _filters(dataset) if not _has_filter(code)]
    if absent and not name.startswith(_NOT_NEEDED):
        raise InputError(
            f"{path}: {name} is compressed with a filter that is not installed ({absent[0]})",
            expected="data compressed with gzip or not at all",
            fix="write it again with gzip where it can be read, or install that filter (hdf5plugin)",
        )
    if missing_chunks(dataset, unwritten=False):
        raise damaged(path, f"{name}: the index of its blocks is broken, and some would be read as zeros")
    n = dataset.size or 0
    stored = int(dataset.id.get_storage_size())
    refuse_impossible(path, name, n * dataset.dtype.itemsize, stored)
    if dataset.dtype.hasobject and stored == 0 and isinstance(dataset.fillvalue, bytes | str):
        refuse_impossible(path, name, n * len(dataset.fillvalue), len(dataset.fillvalue))


def inspect_sparse(
    path: Path, name: str, vectors: Sequence[Any], shape: Sequence[int], n_missing: Callable[[Any], int]
) -> None:
    """`InputError` where data, indices and row pointers (HDF5 or zarr; `shape` major first) lack blocks or disagree."""
    for part, vector in zip(SPARSE_PARTS, vectors, strict=True):
        if n := n_missing(vector):
            raise damaged(path, f"{name}: {n:,} blocks of {part} were never written")
    if fault := next(_sparse_faults(vectors, *map(int, shape)), None):
        raise damaged(path, f"{name}: {fault}")


def _sparse_faults(vectors: Sequence[Any], n_major: int, n_minor: int) -> Iterator[str]:
    """Broken invariants, each looked for only where those before it hold."""
    data, indices, indptr = vectors
    for name, vector, kinds in (("data", data, "biuf"), ("indices", indices, "iu"), ("indptr", indptr, "iu")):
        if len(vector.shape) != 1:
            yield f"{name} has {len(vector.shape)} dimensions, not 1"
        if vector.dtype.kind not in kinds:
            yield f"{name} has dtype {vector.dtype}, which is not {'numeric' if name == 'data' else 'integer'}"
    n_entries = data.shape[0]
    if indices.shape[0] != n_entries:
        yield f"data has {n_entries:,} entries, but indices has {indices.shape[0]:,}"
    if indptr.shape[0] != n_major + 1:
        yield f"indptr has {indptr.shape[0]:,} entries, but the shape asks for {n_major + 1:,}"
    first, last = int(np.asarray(indptr[:1])[0]), int(np.asarray(indptr[n_major:])[0])
    if first != 0:
        yield f"indptr starts at {first}, not at 0"
    if any((chunk[1:] < chunk[:-1]).any() for chunk in _chunks(indptr, overlap=1)):
        yield "indptr is not monotonic: a row would have a negative length"
    if last != n_entries:
        yield f"indptr ends at {last:,}, but there are {n_entries:,} entries"
    for chunk in _chunks(indices):
        if int(chunk.min()) < 0:
            yield f"indices holds {chunk.min()}, which is negative"
        if int(chunk.max()) >= n_minor:
            yield f"indices holds {chunk.max():,}, but there are only {n_minor:,} places"


def _chunks(vector: Any, overlap: int = 0) -> Iterator[Any]:
    for start in range(0, vector.shape[0], _READ_AT_ONCE):
        yield np.asarray(vector[start : start + _READ_AT_ONCE + overlap])


def _inspect_matrix(path: Path, name: str, group: h5py.Group, major: int) -> None:
    missing = [part for part in SPARSE_PARTS if not isinstance(group.get(part), h5py.Dataset)]
    if missing:
        raise damaged(path, f"sparse matrix {name} has no {' and no '.join(missing)}")
    shape = [int(n) for n in group.attrs.get("shape", group.attrs.get("h5sparse_shape", ()))]
    if len(shape) != 2:
        raise damaged(path, f"sparse matrix {name} does not say its shape")
    vectors = [group[part] for part in SPARSE_PARTS]
    inspect_sparse(path, f"sparse matrix {name}", vectors, (shape[major], shape[1 - major]), missing_chunks)


@contextmanager
def _spared(name: str) -> Iterator[None]:
    """Let pass what cannot be decoded below ``uns``: nothing there is needed, and reading leaves it out."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        if not name.startswith(_NOT_NEEDED):
            raise


class _Walk:
    """What was seen in a file, and which soft links are still to be followed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.soft: list[tuple[str, h5py.Group, str, Above]] = []
        self.sparse: dict[int, tuple[str, h5py.Group, int]] = {}
        self.datasets: dict[tuple[int, bool], tuple[str, h5py.Dataset]] = {}
        self.n_seen = 0

    def open(self, name: str, group: h5py.Group, key: str, above: Above) -> None:
        """Visit what a link leads to."""
        try:
            item = group[key]
        except (KeyError, OSError, RuntimeError) as error:
            if isinstance(group.get(key, getlink=True), h5py.SoftLink):
                raise damaged(self.path, f"{name} is a link that leads nowhere or in a circle") from error
            raise damaged(self.path, f"{name} cannot be opened ({_inner(str(error))})") from error
        with _spared(name):
            dict(item.attrs.items())
        if isinstance(item, h5py.Group):
            self.group(name, item, above)
        elif isinstance(item, h5py.Dataset):
            # Links to what was seen below uns are looked at again: more is allowed there.
            seen = h5py.h5o.get_info(item.id).addr, name.startswith(_NOT_NEEDED)
            if seen not in self.datasets:
                with _spared(name):
                    _inspect_dataset(self.path, name, item)
                    self.datasets[seen] = name, item

    def group(self, name: str, group: h5py.Group, above: Above) -> None:
        """Visit all that a group holds, but for soft links."""
        address = h5py.h5o.get_info(group.id).addr
        if address in above:
            raise damaged(self.path, f"{name} is linked in a circle")
        if len(above) >= MAX_DEPTH:
            if name.startswith(_NOT_NEEDED):
                return
            raise damaged(self.path, f"groups are nested more than {MAX_DEPTH} deep (at {name[:60]}...)")
        for key in group:
            self.n_seen += 1
            if self.n_seen > _MAX_OBJECTS:
                raise damaged(self.path, f"more than {_MAX_OBJECTS:,} objects")
            child = f"{name.rstrip('/')}/{key}"
            link = group.get(key, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise hostile(self.path, f"{child} is an external link to another file ({link.filename})")
            if isinstance(link, h5py.SoftLink):
                self.soft.append((child, group, key, (*above, address)))
            else:
                self.open(child, group, key, (*above, address))
        encoding = group.attrs.get("encoding-type", group.attrs.get("h5sparse_format", ""))
        encoding = encoding.decode("utf-8", "replace") if isinstance(encoding, bytes) else str(encoding)
        if encoding in SPARSE_AXIS:
            self.sparse[address] = name, group, SPARSE_AXIS[encoding]


def inspect(path: Path, file: h5py.File) -> None:
    """Walk through every object that can be reached in an open file; `InputError` says what is wrong with it."""
    walk = _Walk(path)
    dict(file.attrs.items())
    walk.group("/", file["/"], ())
    # Soft links last: only now is it known that no external link is in their way.
    while walk.soft:
        walk.open(*walk.soft.pop())
    # Data are read only now, when all links and all claimed sizes are settled.
    for name, group, major in walk.sparse.values():
        _inspect_matrix(path, name, group, major)
    for name, dataset in walk.datasets.values():
        # Text, compound and unusually packed values are read once, so that whatever a decoder makes of them happens
        # here. Plain numbers are copied or inflated, and are by far the most bytes.
        with _spared(name):
            is_plain = (
                dataset.dtype.kind in "biuf" and {code for code, _ in _filters(dataset)} <= _PLAIN_FILTERS
            )
            if dataset.shape is not None and not is_plain:
                dataset[()]

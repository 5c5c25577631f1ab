"""Look through an HDF5 file before anything trusts it.

An HDF5 file can pull in other files (external links, external storage, virtual datasets), link in circles and
claim sizes that it does not hold. None of this occurs in a file that a single-cell pipeline wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py

from cafsc.errors import InputError
from cafsc.io.chunks import has_lost_chunks, missing_chunks
from cafsc.io.decode import decode, missing_filter, read_attributes
from cafsc.io.limits import refuse_impossible
from cafsc.io.sparse import sparse_fault
from cafsc.io.vectors import StoredVector

MAX_DEPTH = 64
_MAX_OBJECTS = 200_000
SPARSE_PARTS = ("data", "indices", "indptr")
SPARSE_AXIS = {"csr_matrix": 0, "csc_matrix": 1, "csr": 0, "csc": 1}


def damaged(path: Path, what: str) -> InputError:
    """Error for a file whose structure contradicts itself."""
    return InputError(
        f"{path}: damaged: {what}",
        expected="a whole file as anndata or Cell Ranger writes it",
        fix="copy or download the file again, or write it again from its source",
    )


def _hostile(path: Path, what: str) -> InputError:
    return InputError(
        f"{path}: refused: {what}",
        expected="a file that holds its own data",
        fix="if you trust its origin, load it with anndata and write it again as a plain h5ad",
    )


def cause(error: BaseException) -> str:
    """What a library says of damaged bytes, in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    if "filter" in text or "inflate" in text:
        text = f"a compressed block is corrupt and cannot be decompressed ({text})"
    return text if len(text) <= 300 else f"{text[:297]}..."


def open_lasting(path: Path) -> h5py.File:
    """Open an HDF5 file for reading, until somebody closes it.

    Raises
    ------
    InputError
        It is truncated, was not closed by its writer, or is damaged.
    """
    try:
        return h5py.File(path, "r", locking="best-effort")
    except OSError as error:
        text = str(error)
        if "truncated" in text:
            raise InputError(
                f"{path}: is truncated: the end of the file is missing",
                expected="a complete file",
                fix="copy or download it again; the transfer or the writing was interrupted",
            ) from error
        if "already open for write" in text or "consistency flags" in text or "SWMR" in text:
            raise InputError(
                f"{path}: was not closed by the program that wrote it, or is still being written",
                expected="a complete file",
                fix="wait for the writer to end, or write the file again",
            ) from error
        raise damaged(path, f"HDF5 cannot open it ({_inner(text)})") from error


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading, for the length of a block; errors as of `open_lasting`."""
    with open_lasting(path) as file:
        yield file


def _inner(text: str) -> str:
    """HDF5's own words, which it puts in brackets at the end."""
    return text.rpartition("(")[2].rstrip(")")[:120] if "(" in text else text.splitlines()[0][:120]


def _inspect_dataset(path: Path, name: str, dataset: h5py.Dataset) -> None:
    if dataset.external:
        raise _hostile(path, f"{name} maps the bytes of another file (HDF5 external storage)")
    if dataset.is_virtual:
        raise _hostile(path, f"{name} is a virtual dataset, whose data lie in other files")
    packed_by = missing_filter(dataset)
    if packed_by and not name.startswith("/uns/"):
        raise InputError(
            f"{path}: {name} is compressed with a filter that is not installed ({packed_by})",
            expected="data compressed with gzip or not at all",
            fix="write it again with gzip where it can be read, or install that filter (hdf5plugin)",
        )
    if has_lost_chunks(dataset):
        raise damaged(path, f"{name}: the index of its blocks is broken, and some would be read as zeros")
    n = dataset.size or 0
    stored = int(dataset.id.get_storage_size())
    refuse_impossible(path, name, n * dataset.dtype.itemsize, stored)
    if dataset.dtype.hasobject and stored == 0 and isinstance(dataset.fillvalue, bytes | str):
        refuse_impossible(path, name, n * len(dataset.fillvalue), len(dataset.fillvalue))


def _vectors_of(group: h5py.Group, major: int) -> tuple[Any, ...] | None:
    """What a sparse matrix is made of: two with the same parts and shape, as links make them, need one look."""
    parts = [group.get(part) for part in SPARSE_PARTS]
    shape = group.attrs.get("shape", group.attrs.get("h5sparse_shape"))
    if shape is None or not all(isinstance(part, h5py.Dataset) for part in parts):
        return None
    return (major, *map(int, shape), *(h5py.h5o.get_info(part.id).addr for part in parts))


def _inspect_sparse(path: Path, name: str, group: h5py.Group, major: int) -> None:
    missing = [part for part in SPARSE_PARTS if not isinstance(group.get(part), h5py.Dataset)]
    if missing:
        raise damaged(path, f"sparse matrix {name} has no {' and no '.join(missing)}")
    shape = group.attrs.get("shape", group.attrs.get("h5sparse_shape"))
    if shape is None or len(shape) != 2:
        raise damaged(path, f"sparse matrix {name} does not say its shape")
    n_major, n_minor = int(shape[major]), int(shape[1 - major])
    for part in SPARSE_PARTS:
        n_missing = missing_chunks(group[part])
        if n_missing:
            raise damaged(path, f"sparse matrix {name}: {n_missing:,} blocks of {part} were never written")
    data, indices, indptr = (StoredVector(group[part]) for part in SPARSE_PARTS)
    fault = sparse_fault(data, indices, indptr, n_major, n_minor)
    if fault:
        raise damaged(path, f"sparse matrix {name}: {fault}")


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _open(path: Path, name: str, group: h5py.Group, key: str) -> h5py.Group | h5py.Dataset | h5py.Datatype:
    try:
        return group[key]
    except (KeyError, OSError, RuntimeError) as error:
        if isinstance(group.get(key, getlink=True), h5py.SoftLink):
            raise damaged(path, f"{name} is a link that leads nowhere or in a circle") from error
        raise damaged(path, f"{name} cannot be opened ({_inner(str(error))})") from error


@contextmanager
def _spared(name: str) -> Iterator[None]:
    """Let pass what cannot be decoded below ``uns``: nothing there is needed, and reading leaves it out."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):
        if not name.startswith("/uns/"):
            raise


@dataclass
class _Walk:
    """What is still to be visited, and what was seen."""

    path: Path
    groups: list[tuple[str, h5py.Group, tuple[int, ...]]]
    """Name, group, and the addresses of the groups above it."""
    # Soft links are followed last: by then it is known that no external link is in their way.
    soft: list[tuple[str, h5py.Group, str, tuple[int, ...]]] = field(default_factory=list)
    sparse: dict[int, tuple[str, h5py.Group, int]] = field(default_factory=dict)
    datasets: dict[tuple[int, bool], tuple[str, h5py.Dataset]] = field(default_factory=dict)
    n_seen: int = 0

    def run(self) -> None:
        while self.groups or self.soft:
            if self.groups:
                self._visit_group(*self.groups.pop())
            else:
                name, parent, key, above = self.soft.pop()
                self._visit(name, _open(self.path, name, parent, key), above)
        # Data are read only now, when all links and all claimed sizes are settled.
        seen = set()
        for name, group, major in self.sparse.values():
            linked = _vectors_of(group, major)
            if linked is None or linked not in seen:
                _inspect_sparse(self.path, name, group, major)
            seen.add(linked)
        for name, dataset in self.datasets.values():
            with _spared(name):
                decode(dataset)

    def _visit(
        self, name: str, item: h5py.Group | h5py.Dataset | h5py.Datatype, above: tuple[int, ...]
    ) -> None:
        with _spared(name):
            read_attributes(item)
        if isinstance(item, h5py.Dataset):
            # Links to what was seen below uns are looked at again: more is allowed there.
            seen = h5py.h5o.get_info(item.id).addr, name.startswith("/uns/")
            if seen in self.datasets:
                return
            with _spared(name):
                _inspect_dataset(self.path, name, item)
                self.datasets[seen] = name, item
        elif isinstance(item, h5py.Group):
            self.groups.append((name, item, above))

    def _visit_group(self, name: str, group: h5py.Group, above: tuple[int, ...]) -> None:
        address = h5py.h5o.get_info(group.id).addr
        if address in above:
            raise damaged(self.path, f"{name} is linked in a circle")
        if len(above) >= MAX_DEPTH:
            if name.startswith("/uns/"):
                return
            raise damaged(self.path, f"groups are nested more than {MAX_DEPTH} deep (at {name[:60]}...)")
        for key in group:
            self.n_seen += 1
            if self.n_seen > _MAX_OBJECTS:
                raise damaged(self.path, f"more than {_MAX_OBJECTS:,} objects")
            child_name = f"{name.rstrip('/')}/{key}"
            link = group.get(key, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise _hostile(
                    self.path, f"{child_name} is an external link to another file ({link.filename})"
                )
            if isinstance(link, h5py.SoftLink):
                self.soft.append((child_name, group, key, (*above, address)))
            else:
                self._visit(child_name, _open(self.path, child_name, group, key), (*above, address))
        encoding = _text(group.attrs.get("encoding-type", group.attrs.get("h5sparse_format", "")))
        if encoding in SPARSE_AXIS:
            self.sparse[address] = (name, group, SPARSE_AXIS[encoding])


def inspect(path: Path, file: h5py.File) -> None:
    """Walk through every object that can be reached in an open file.

    Raises
    ------
    InputError
        A link or dataset leads out of the file, links run in a circle, groups are nested too deep or are too
        many, a dataset claims more than it holds, or a sparse matrix breaks its invariants.
    """
    _Walk(path, [("/", file["/"], ())]).run()

"""Where the signature files are: in a checkout, in an editable install, or inside the wheel."""

from __future__ import annotations

from pathlib import Path

from cafsc.errors import CafscError

_PACKAGE = Path(__file__).resolve().parents[1]


def signatures_dir(package: Path | None = None) -> Path:
    """Folder that holds ``papers/``, ``programs/``, ``genes/`` and the YAML files beside them.

    In a wheel the files lie inside the package; in a checkout, editable or not, they lie at the top of the
    repository, where biologists find them. The wheel is looked at first, since only it has such a folder.

    Parameters
    ----------
    package
        Folder of the ``cafsc`` package; the running one if left out.

    Raises
    ------
    CafscError
        If neither place holds a catalogue: the installation is broken.
    """
    package = _PACKAGE if package is None else package
    places = [package / "_signatures"]
    if package.parent.name == "src":
        places.append(package.parent.parent / "signatures")
    for place in places:
        if (place / "papers").is_dir():
            return place
    looked = ", ".join(str(place) for place in places)
    raise CafscError(f"the signature files of cafsc are missing (looked in {looked}); install cafsc again")

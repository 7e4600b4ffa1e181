"""The runs that a server shows, by names that can stand in an address."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

from processor import folders
from processor.web.replies import NoRunError


class Runs:
    """Those in the usual place, and those whose folders were named.

    A name is only ever looked up here, so that no address leads to another folder. It goes on
    meaning the same folder while the server lives.

    Args:
        named: Folders, wherever they are.
    """

    def __init__(self, named: Sequence[Path]) -> None:
        self._named = tuple(folder.absolute() for folder in named)
        self._folders: dict[str, Path] = {}
        self._names: dict[Path, str] = {}
        self._naming = Lock()

    def all(self) -> Mapping[str, Path]:
        """Every run that there is now, by its name."""
        there = dict.fromkeys((*self._named, *(path.absolute() for path in folders.all_of())))
        with self._naming:
            return {self._name(folder): folder for folder in there}

    def folder(self, name: str) -> Path:
        """The folder of a run, which may be gone by now.

        Raises:
            NoRunError: There never was one of this name.
        """
        if name not in self._folders:
            self.all()
        if name not in self._folders:
            raise NoRunError(f"there is no run {name!r}")
        return self._folders[name]

    def _name(self, folder: Path) -> str:
        if folder not in self._names:
            name = _free(shown(folder.name or str(folder)), self._folders)
            self._folders[name], self._names[folder] = folder, name
        return self._names[folder]


def shown(path: str | Path) -> str:
    """A name of the file system as text, whatever bytes it is made of."""
    return os.fsencode(path).decode(errors="replace")


def _free(name: str, taken: Mapping[str, Path]) -> str:
    """The name, with a number where another folder has it."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}~{number}"
    return free

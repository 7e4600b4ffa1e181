"""A storage folder."""

import shutil
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from processor.sandbox.config import ConfigError
from processor.sandbox.storage.batches import Batches
from processor.sandbox.storage.charges import Charges
from processor.sandbox.storage.database import erase, open_database, transaction
from processor.sandbox.storage.events import Events
from processor.sandbox.storage.files import Files


class Storage:
    """All that survives the sandbox, in one folder that no other sandbox uses meanwhile.

    Args:
        folder: Made when it is missing; None for one that is deleted at the end.

    Raises:
        ConfigError: It cannot be used.
    """

    def __init__(self, folder: Path | None) -> None:
        self._temporary = folder is None
        try:
            self.folder = folder or Path(tempfile.mkdtemp(prefix="processor-sandbox-"))
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for room in (self._contents, self._inputs, self._arrivals):
                room.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"the state cannot be kept in {folder}: {error.strerror}") from error
        self._connection = open_database(self.folder / "sandbox.sqlite")
        self.files = Files(self._connection, self._contents)
        self.batches = Batches(self._connection)
        self.charges = Charges(self._connection)
        self.events = Events(self._connection)
        self._tidy()

    @property
    def _contents(self) -> Path:
        return self.folder / "files"

    @property
    def _inputs(self) -> Path:
        return self.folder / "inputs"

    @property
    def _arrivals(self) -> Path:
        return self.folder / "arrivals"

    def transaction(self) -> AbstractContextManager[None]:
        """All that is written in it is kept, or nothing."""
        return transaction(self._connection)

    def arrival(self, name: str) -> Path:
        """Where the content of an upload goes before it is known to be whole."""
        return self._arrivals / name

    def input(self, batch: str) -> Path:
        """A batch's own name for its input, which may be deleted under it."""
        return self._inputs / batch

    def keep_input(self, batch: str, file: str) -> None:
        """Give a batch its input."""
        source, own = self.files.path(file), self.input(batch)
        try:
            own.hardlink_to(source)
        except OSError:
            # Not every file system has links.
            shutil.copyfile(source, own)

    def _tidy(self) -> None:
        """Delete what an earlier life was killed over: half an upload, the input of what ended."""
        live = {batch.id for batch in self.batches.live()}
        for path in (*self._arrivals.iterdir(), *self._inputs.iterdir()):
            if path.parent == self._arrivals or path.name not in live:
                path.unlink()

    def forget(self) -> None:
        """Forget everything; nothing may be under way."""
        erase(self._connection)
        for room in (self._contents, self._inputs, self._arrivals):
            for path in room.iterdir():
                path.unlink()

    def close(self) -> None:
        """Give the folder free."""
        self._connection.close()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)


def latest_s(folder: Path | None) -> float | None:
    """When something happened last in a storage folder; None when nothing ever did.

    Raises:
        ConfigError: It cannot be used.
    """
    if folder is None:
        return None
    storage = Storage(folder)
    try:
        return storage.events.latest_s()
    finally:
        storage.close()

"""The error tree. An error says what is wrong and the way out; it carries its exit code.

ProcessorError
├── UsageError            1  an option or a setting that cannot be
│   └── DeadlineError     1  a deadline that no lane can make
├── InputError            1  a row, a file or a column; names the place
│   └── SourceAwayError 1, 3  a database is not there, or went away while it was read
├── TaskError             1  a task file or its template
├── LedgerError           5  the disk or the ledger
├── DeliveryError         5  a place for results, such as a database
├── StoppedError        3, 4  the provider or the budget ended a run; resumable
├── NotDoneError      6, 130  rows have no outcome yet
├── RunLockedError        1  another process is on this run
└── InterruptedRunError 130  the user ended it; resumable
"""


class ProcessorError(Exception):
    """What the world or the user did; never a bug of ours.

    Attributes:
        way_out: What to do about it, in one sentence; may be empty.
        exit_code: The process exit code this error stands for.
    """

    exit_code = 1

    def __init__(self, message: str, *, way_out: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.way_out = way_out

    def __str__(self) -> str:
        return f"{self.message}. {self.way_out}" if self.way_out else self.message


class UsageError(ProcessorError):
    """An option or a setting is out of range, unknown or contradicts another."""


class DeadlineError(UsageError):
    """No lane can make the deadline; nothing was sent."""


class InputError(ProcessorError):
    """A source cannot be read as asked.

    Attributes:
        source: The file or URI as the user named it.
        row: Row number within the source, counted from 1 for the first data row; None if it
            concerns the whole source.
    """

    def __init__(
        self, message: str, *, source: str, row: int | None = None, way_out: str = ""
    ) -> None:
        where = f"{source}: row {row}: " if row is not None else f"{source}: "
        super().__init__(where + message, way_out=way_out)
        self.source = source
        self.row = row


class SourceAwayError(InputError):
    """A source does not answer; it may after a while.

    Attributes:
        reason: Why, without the source's name.
        begun: It was being read: then the network is to blame, not what was typed.
    """

    def __init__(self, message: str, *, source: str, way_out: str, begun: bool) -> None:
        super().__init__(message, source=source, way_out=way_out)
        self.reason = message
        self.begun = begun
        self.exit_code = 3 if begun else 1

    def while_read(self) -> "SourceAwayError":
        """The same of a source that was being read when it went away first."""
        return SourceAwayError(self.reason, source=self.source, way_out=self.way_out, begun=True)


class TaskError(ProcessorError):
    """A task file or its template is wrong."""


class LedgerError(ProcessorError):
    """The disk or the ledger failed; what was acknowledged is safe."""

    exit_code = 5


class DeliveryError(ProcessorError):
    """An output does not take results; the run's own are whole, and can be sent there later.

    Attributes:
        passing: Whether the same may succeed after a while: the place is away, not in the wrong.
    """

    exit_code = 5

    def __init__(self, message: str, *, passing: bool, way_out: str = "") -> None:
        super().__init__(message, way_out=way_out)
        self.passing = passing


class StoppedError(ProcessorError):
    """A run ended before all items had an outcome; the same call goes on.

    Attributes:
        code: One of `codes.CAUSES`, or `budget`.
    """

    def __init__(self, message: str, *, code: str, exit_code: int, way_out: str = "") -> None:
        super().__init__(f"{code}: {message}", way_out=way_out)
        self.code = code
        self.exit_code = exit_code


class NotDoneError(ProcessorError):
    """Rows have no outcome yet, so that nothing was written; the same call goes on.

    Attributes:
        pending: How many; None when the provider does not say.
    """

    exit_code = 6

    def __init__(self, message: str, *, pending: int | None, way_out: str) -> None:
        super().__init__(message, way_out=way_out)
        self.pending = pending


class RunLockedError(ProcessorError):
    """Another process works on this run folder."""


class InterruptedRunError(ProcessorError):
    """The user ended the run before it sent anything."""

    exit_code = 130

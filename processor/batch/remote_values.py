"""Files and batches as the provider tells of them, and how it may fail to."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct

COMPLETED, FAILED, EXPIRED, CANCELLED = "completed", "failed", "expired", "cancelled"
CANCELLING, FINALIZING, VALIDATING = "cancelling", "finalizing", "validating"
TERMINAL = frozenset({COMPLETED, FAILED, EXPIRED, CANCELLED})
KNOWN = TERMINAL | {VALIDATING, CANCELLING, FINALIZING, "in_progress"}
_NOTHING: Mapping[str, str] = MappingProxyType({})


class RemoteFile(Struct, frozen=True, kw_only=True, gc=False):
    """A file at the provider.

    Attributes:
        bytes: Its size; None when not said.
        created_at: Seconds since 1970; None when not said.
    """

    id: str
    name: str
    bytes: int | None = None
    created_at: float | None = None


class Problem(Struct, frozen=True, kw_only=True, gc=False):
    """Why a batch failed: a code, words, and the line of its file, from 1, if one is to blame."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


class RemoteBatch(Struct, frozen=True, kw_only=True, gc=False):
    """A batch as the provider tells of it.

    Attributes:
        status: As it is told, also one that nobody knows; it has ended when among `TERMINAL`.
        endpoint: Of its requests; None when not said.
        output_file_id: Of successes; None when there is none, however the provider says so.
        error_file_id: The same of failures.
        total: Requests; as `completed` and `failed` None when not said, and never the truth.
        created_at: Seconds since 1970; None when not said.
        ended_at: The same of its end; None before that, too.
        problems: Why it failed.
    """

    id: str
    status: str
    endpoint: str | None = None
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    total: int | None = None
    completed: int | None = None
    failed: int | None = None
    created_at: float | None = None
    ended_at: float | None = None
    problems: tuple[Problem, ...] = ()
    metadata: Mapping[str, str] = _NOTHING

    @property
    def ended(self) -> bool:
        """Whether nothing of it will change."""
        return self.status in TERMINAL

    @property
    def names_files(self) -> bool:
        """Whether there is a file of answers."""
        return self.output_file_id is not None or self.error_file_id is not None


class Trouble(StrEnum):
    """Whom a failed call concerns."""

    FATAL = "fatal"  # the whole job: key, quota, account
    AGAIN = "again"  # the same call may be made again later
    QUOTA = "quota"  # too many tokens are enqueued already
    GONE = "gone"  # there is no such file, batch or route
    REFUSED = "refused"  # this request is wrong, and will be again


class RemoteError(Exception):
    """A call that failed.

    Attributes:
        trouble: Whom it concerns.
        code: As in `codes.CAUSES`, or the provider's own.
        status: Of the HTTP answer; None when none came.
        in_doubt: The provider may have done what was asked.
        retry_after_s: Nothing earlier than so many seconds from now; None when not said.
    """

    def __init__(
        self,
        message: str,
        *,
        trouble: Trouble,
        code: str,
        status: int | None = None,
        in_doubt: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.code = code
        self.status = status
        self.in_doubt = in_doubt
        self.retry_after_s = retry_after_s

"""How long a run waits for a source that went away while it was read.

An import is all or nothing, so each try reads from the beginning. A source that never answered is
not waited for: then the address is to blame.
"""

from collections.abc import Awaitable, Callable
from typing import NoReturn

from tenacity import AsyncRetrying, RetryCallState, wait_exponential

from processor.errors import SourceAwayError

__all__ = ["patience"]

_TRIES = 7
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 15.0


def patience(
    *,
    give_up_s: float,
    wait: Callable[[float], Awaitable[None]],
    away: Callable[[SourceAwayError, float], None],
) -> AsyncRetrying:
    """What calls an import again until it is through; itself called with that.

    The call raises what it raised last when it is not to be tried again; a source that went away
    and did not come back is a SourceAwayError that was begun.

    Args:
        give_up_s: Seconds that are waited in all at most.
        wait: Sleeps; may return early.
        away: Told of each wait: why, and how many seconds.
    """

    def tell(state: RetryCallState) -> None:
        away(_error(state), state.upcoming_sleep)

    def enough(state: RetryCallState) -> bool:
        waited_s = state.idle_for + state.upcoming_sleep
        return state.attempt_number == _TRIES or waited_s > give_up_s

    return AsyncRetrying(
        retry=_may_come_back,
        wait=wait_exponential(multiplier=_FIRST_WAIT_S, max=_LONGEST_WAIT_S),
        stop=enough,
        sleep=wait,
        before_sleep=tell,
        retry_error_callback=_give_up,
    )


def _may_come_back(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return isinstance(error, SourceAwayError) and (error.begun or state.attempt_number > 1)


def _give_up(state: RetryCallState) -> NoReturn:
    raise _error(state).while_read()


def _error(state: RetryCallState) -> SourceAwayError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, SourceAwayError), "only such are retried"
    return error

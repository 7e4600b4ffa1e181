"""When the next call may go: a token bucket for one endpoint and model, taught by headers.

The control law, in plain words. Providers count in one of three ways, and do not say which: a
bucket that refills all the time, a minute that begins anew, or either of them cut into seconds.
One law serves them all, in each dimension (requests, tokens, a project's tokens; see `meter`):

1. **Space the calls** at a hair below the limit, `limit / 60 s`. That alone satisfies all three
   when nobody else uses the account; a burst would break the one that counts in seconds.
2. **Never plan to use more than is left**: no faster than `left / time to reset` either, where
   `left` is the `remaining` of the newest answer less all that was sent after that answer's
   call. In a minute it spreads the rest; a bucket would settle at half full. Once the reset has
   passed, everything is there again.
3. **Learn what a call costs.** What the provider charged between two answers, divided by what
   was planned, is the *strain*: above 1 when others share the account or token estimates are too
   low, below when they are too high. The calls are spaced by it. A full bucket tells nothing;
   then the strain falls, slowly at first, which probes for what others have left over.
4. **Refusals while something is left**, or without any headers, show a limit that no header
   tells. They set a ceiling at what was accepted, which then rises slowly. So does `slow_down`.

A dimension whose reset is longer than a minute is one of a day: it is not spread over the day
but used up, and the 429 that ends it says so. Where nothing tells of a limit, nothing waits.
"""

import math

from msgspec import Struct

from processor.direct.brake import Brake
from processor.direct.meter import Meter
from processor.headers import Limit, RateLimits

_SCARCE = 0.02


class Ticket(Struct, frozen=True, gc=False):
    """One call's place in the order of calls.

    Attributes:
        at_s: When it took its turn.
        requests: Calls up to it, itself included.
        tokens: Estimated tokens up to it, itself included.
        sent: Calls up to it, those given back later included.
    """

    at_s: float
    requests: float
    tokens: float
    sent: int = 0


class Pace:
    """Spaces the calls to one endpoint and model. Holds no clock: every time is an argument.

    Args:
        rpm: A known limit of requests a minute; None to learn it.
        tpm: The same of tokens.
    """

    def __init__(self, *, rpm: float | None = None, tpm: float | None = None) -> None:
        self._requests = Meter(per_minute=rpm)
        self._tokens = Meter(per_minute=tpm, strain_least=0.05)
        self._project_tokens = Meter(strain_least=0.05)
        self._brake = Brake()
        self._ticket = Ticket(-math.inf, 0.0, 0.0)

    @property
    def ticket(self) -> Ticket:
        """Of the call that took the last turn; belongs to `observe` when its answer comes."""
        return self._ticket

    def turn(self, now_s: float, tokens: float = 0.0) -> float:
        """Seconds to wait before asking again; 0 means go, and the turn is taken.

        Args:
            now_s: Monotonic.
            tokens: An estimate of what the call will be charged.
        """
        wait_s = max(
            self._requests.wait_s(now_s, 1.0),
            self._tokens.wait_s(now_s, tokens),
            self._project_tokens.wait_s(now_s, tokens),
            self._brake.wait_s(now_s),
        )
        if wait_s > 0:
            return wait_s
        self._requests.take(1.0)
        self._tokens.take(tokens)
        self._project_tokens.take(tokens)
        self._brake.take(now_s)
        self._ticket = Ticket(now_s, self._requests.planned, self._tokens.planned, self._brake.sent)
        return 0.0

    def observe(self, now_s: float, limits: RateLimits, ticket: Ticket) -> None:
        """Learn from the headers of an answer, whatever its status."""
        at_s = ticket.at_s
        if limits.requests is not None:
            self._requests.observe(limits.requests, ticket.requests, at_s, now_s)
        if limits.tokens is not None:
            self._tokens.observe(limits.tokens, ticket.tokens, at_s, now_s)
        if limits.project_tokens is not None:
            self._project_tokens.observe(limits.project_tokens, ticket.tokens, at_s, now_s)

    def refused(
        self,
        now_s: float,
        limits: RateLimits,
        ticket: Ticket,
        retry_after_s: float | None = None,
    ) -> None:
        """A call came back as rate-limited; call it beside `observe`.

        Args:
            now_s: When.
            limits: What its headers say.
            ticket: The call's.
            retry_after_s: When it may be sent again, if that was said.
        """
        told = (limits.requests, limits.tokens, limits.project_tokens)
        if not any(limit is not None and _is_scarce(limit) for limit in told):
            per_s = self._requests.rate_per_s(now_s)
            self._brake.refuse(ticket.sent, now_s, per_s, retry_after_s)

    def calls_per_s(self, now_s: float) -> float:
        """The rate of this moment; infinite where nothing tells of a limit."""
        return min(
            self._brake.per_s,
            self._requests.rate_per_s(now_s),
            self._tokens.calls_per_s(now_s),
            self._project_tokens.calls_per_s(now_s),
        )

    def allow(self, *, rpm: float | None, tpm: float | None) -> None:
        """Set the known limits anew; None to learn them."""
        self._requests.allow(rpm)
        self._tokens.allow(tpm)

    @property
    def per_minute(self) -> tuple[float | None, float | None]:
        """The provider's limits of requests and tokens; None where it told none."""
        return self._requests.per_minute, self._tokens.per_minute

    def slow_down(self, now_s: float) -> None:
        """The provider says that the rate rose too fast."""
        self._brake.slow_down(now_s)

    def refund(self, tokens: float = 0.0) -> None:
        """A call that took its turn never reached the provider."""
        self._requests.take(-1.0)
        self._tokens.take(-tokens)
        self._project_tokens.take(-tokens)


def _is_scarce(limit: Limit) -> bool:
    """Whether this dimension may be what the call was refused for."""
    return limit.remaining < max(1.0, _SCARCE * limit.limit)

"""The service tier that calls ask for, and how long they wait where it has no room.

Flex costs what a batch costs and answers more slowly. At times it has no room for a call, which is
then refused and not charged; a service without room is no fault of the item, and no congestion
that fewer calls would end. So the item waits, longer each time, and nothing more is begun
meanwhile: those that wait tell when there is room again.
(https://developers.openai.com/api/docs/guides/flex-processing)

When an item has waited for as long as it may, it goes at the standard tier, or fails. When nobody
was served for as long, the others need not wait, too: they go at the standard tier, and now and
then one asks again; or the job stops, and they stay pending.
"""

from collections.abc import Callable
from math import inf

from msgspec.structs import replace

from processor.direct.backlog import Work
from processor.direct.rules import TierRules
from processor.notice import Notice
from processor.plan.prices import FLEX
from processor.stop import Stop
from processor.verdict import Kind, Verdict

FULL_CODE = "flex_unavailable"
FULL_AFTER = 10  # refusals without an answer between them
TOLD_AFTER_S = 10.0
ASK_AGAIN_S = 60.0
SERVED_AFTER_S = 10.0  # a call that is refused is so much sooner
_SLOWER_THAN_REFUSALS = 2.0
_REFUSED_CODE = "refused_parameter"
_REFUSAL_WORDS = ("service_tier", "service tier", "flex")


class Tier:
    """Watches how calls fare at their tier, in the order in which they end.

    Args:
        rules: Which tier the lane asks for, and for how long.
        tell: Takes what concerns the whole lane.
        oldest_s: When the oldest call in flight had gone; inf without any.
    """

    def __init__(
        self, rules: TierRules, tell: Callable[[Notice], None], oldest_s: Callable[[], float]
    ) -> None:
        self._rules = rules
        self._tell = tell
        self._oldest_s = oldest_s
        self._refusals = 0  # since the latest answer
        self._refused_since_s = inf  # as all such times, without those at rest
        self._rested_s = 0.0
        self._slowest_refusal_s = 0.0
        self._is_told = False
        self._is_given_up = False
        self._ask_again_s = -inf

    def is_full(self, now_s: float) -> bool:
        """Whether there is no room, for anybody, and work still waits for some."""
        if self._refusals < FULL_AFTER or self._is_given_up:
            return False
        # An answer may take minutes: a call that was not refused by now is served.
        served_s = max(SERVED_AFTER_S, _SLOWER_THAN_REFUSALS * self._slowest_refusal_s)
        return now_s - self._oldest_s() <= served_s

    def of(self, work: Work, now_s: float) -> str | None:
        """The tier at which work shall go, unless it names one; None for the standard one."""
        name = self._rules.name
        if name is None or work.at_standard:
            return None
        if self._is_given_up:
            if now_s < self._ask_again_s:
                return None
            self._ask_again_s = now_s + ASK_AGAIN_S
        return name

    def rule(self, verdict: Verdict, work: Work) -> Verdict:
        """The verdict on an answer, with what the tier has to do with it."""
        if lacks_room(verdict, work):
            return replace(verdict, congested=False)
        if work.tier is None or verdict.code != _REFUSED_CODE:
            return verdict
        words = verdict.message.lower()
        if not any(each in words for each in _REFUSAL_WORDS):
            return verdict
        said = verdict.message.rstrip(".")
        return replace(
            verdict,
            message=f"{said}. --route {work.tier} asks for that tier; --route direct goes without.",
        )

    def observe(self, verdict: Verdict, work: Work, *, sent_s: float, now_s: float) -> Stop | None:
        """Take note of the verdict on an answer that came now.

        Args:
            verdict: On the answer.
            work: That was sent.
            sent_s: When its call had gone.
            now_s: The time.

        Returns:
            A Stop when nobody was served for so long that the job must end.
        """
        if not _asks_for_flex(work):
            return None
        if verdict.kind is Kind.OK or verdict.usage is not None:
            self._serve(work)
            return None
        if not lacks_room(verdict, work):
            return None
        self._refusals += 1
        waited_s = now_s - self._rested_s
        self._refused_since_s = min(self._refused_since_s, waited_s)
        work.refused_since_s = min(work.refused_since_s, waited_s)
        work.refusals += 1
        self._slowest_refusal_s = max(self._slowest_refusal_s, now_s - sent_s)
        if not self.is_full(now_s):
            return None
        falls, full_s = self._may_fall(work), waited_s - self._refused_since_s
        if full_s >= self._rules.patience_s:
            if not falls:
                return _stop(verdict, work, self._rules.patience_s)
            self._give_up(now_s)
        elif full_s >= TOLD_AFTER_S and not self._is_told:
            self._is_told = True
            self._told("flex_full", wait_s=self._rules.patience_s, falls=falls)
        return None

    def wait_most_s(self, work: Work, verdict: Verdict, now_s: float) -> float:
        """How long work may wait for room yet; 0 for no longer."""
        if self._is_given_up and self._may_fall(work):
            return 0.0
        left_s = work.refused_since_s + self._rested_s + self._rules.patience_s - now_s
        return left_s if (verdict.retry_after_s or 0.0) <= left_s else 0.0

    def rested(self, seconds: float) -> None:
        """Nothing was sent for so long: nobody's patience grew less."""
        self._rested_s += seconds

    def fall(self, work: Work) -> bool:
        """Let work go on at the standard tier; whether it may."""
        if not self._may_fall(work):
            return False
        work.at_standard, work.body = True, None
        return True

    def _may_fall(self, work: Work) -> bool:
        return self._rules.falls and work.tier is not None

    def _give_up(self, now_s: float) -> None:
        self._told("flex_given_up", wait_s=self._rules.patience_s)
        self._is_told = self._is_given_up = True
        self._ask_again_s = now_s + ASK_AGAIN_S

    def _serve(self, work: Work) -> None:
        if self._is_told:
            self._told("flex_again")
        self._is_told = False
        self._refusals = work.refusals = 0
        self._refused_since_s = work.refused_since_s = inf
        self._is_given_up = False

    def _told(self, event: str, **facts: object) -> None:
        self._tell(Notice(event=event, serious=event != "flex_again", facts=facts))


def lacks_room(verdict: Verdict, work: Work) -> bool:
    """Whether work was refused for want of room at its tier."""
    return verdict.code == FULL_CODE and _asks_for_flex(work)


def _stop(verdict: Verdict, work: Work, patience_s: float) -> Stop:
    said = f"{verdict.message.rstrip('.')}; nobody was served for {patience_s:g} s."
    if work.tier is not None:  # otherwise it never falls
        said += " --fallback direct would go on at the standard price."
    return Stop(code=FULL_CODE, message=said)


def _asks_for_flex(work: Work) -> bool:
    return work.size is not None and work.size.tier == FLEX

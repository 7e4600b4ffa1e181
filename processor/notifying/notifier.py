"""Who is told how a run goes, and of what."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from processor.addressee import shown
from processor.errors import LedgerError, ProcessorError
from processor.ledger import database
from processor.notice import Notice
from processor.notifying import wording
from processor.notifying.errand import Delivery, Errand
from processor.notifying.message import Message
from processor.notifying.post import Post
from processor.notifying.watcher import ON_THE_WAY, Watcher
from processor.notifying.wording import Place
from processor.observer import Observer
from processor.occasion import Occasion, at_end
from processor.report import exit_code_of
from processor.settings import Settings
from processor.watch import snapshot
from processor.watch.snapshot import Snapshot
from processor.watch.steps import UNKNOWN_COMMAND, next_steps

# Together what a run may last longer for the sake of its messages.
_END_MOST_S = 12.0
_LEFT_MOST_S = 3.0
_LEAVE_MOST_S = 5.0  # of one that somebody ended, who may wait for it

Tell = Callable[[Notice], None]


class Notifier:
    """Tells somebody who does not look at a run how it goes; never fails it.

    Args:
        settings: What is in force.
        folder: The run's.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._addresses = settings.addressees
        self._wanted = frozenset(settings.notify_on) if self._addresses else frozenset()
        self._folder = folder
        self._place = Place.of(folder, content=settings.log_content)
        self._watcher: Watcher | None = None
        self._on_the_way: Post | None = None
        self._lock = threading.Lock()

    def observers(self, tell: Tell) -> list[Observer]:
        """Who watches the run for what is told while it goes on; `close` ends that.

        Args:
            tell: Is told what became of messages; called in another thread.
        """
        wanted = self._wanted & ON_THE_WAY
        if not wanted:
            return []

        def tell_them(occasion: Occasion, shot: Snapshot) -> None:
            word = wording.of_course(occasion, shot, self._place, now_s=time.time())
            post = self.post(word, report=False)
            with self._lock:
                self._on_the_way = post
            self.tell_of(word, post.run(), tell)

        self._watcher = Watcher(self._folder, wanted, tell_them)
        return [self._watcher]

    def close(self) -> None:
        """End the watching, and after a moment what it still has to tell."""
        if self._watcher is None or self._watcher.close(_LEFT_MOST_S):
            return
        with self._lock:
            if self._on_the_way is not None:
                self._on_the_way.drain()
        self._watcher.close(_LEFT_MOST_S)

    def at_end(
        self, shot: Snapshot, exit_code: int, steps: Sequence[str] | None = None
    ) -> Message | None:
        """What is told of a start that ended; None when nobody wants to know.

        Args:
            shot: The figures of the run.
            exit_code: Of the process.
            steps: What to do now; by default what the run's own command leads to.
        """
        if at_end(exit_code) not in self._wanted:
            return None
        return wording.of_end(
            shot,
            self._place,
            exit_code=exit_code,
            steps=_steps(shot) if steps is None else steps,
            now_s=time.time(),
        )

    def at_error(self, error: BaseException, *, is_seen: bool) -> Message | None:
        """What is told of a start that an error ended; None when nobody wants to know.

        Args:
            error: It.
            is_seen: Whether somebody sees at once what refuses a start.
        """
        exit_code = exit_code_of(error)
        is_refusal = isinstance(error, ProcessorError) and exit_code == ProcessorError.exit_code
        if at_end(exit_code) not in self._wanted or (is_refusal and is_seen):
            return None
        # Of a start that was refused the figures would be another's.
        shot = None if is_refusal else self._figures()
        steps = [] if shot is None else _steps(shot)
        return wording.of_error(
            error, shot, self._place, exit_code=exit_code, steps=steps, now_s=time.time()
        )

    def post(self, word: Message, *, report: bool = True) -> Post:
        """A message on its way.

        Args:
            word: The message.
            report: Whether the run's report goes with it, if there is anything to report.
        """
        has_report = report and word.facts["stats"] is not None
        return Post(
            Errand(
                addresses=self._addresses,
                message=word,
                most_s=_END_MOST_S if word.occasion is not Occasion.INTERRUPTED else _LEAVE_MOST_S,
                report_of=str(self._place.folder) if has_report else None,
                content=self._place.content,
            )
        )

    def tell_of(self, word: Message, deliveries: Sequence[Delivery], tell: Tell) -> None:
        """Say what became of a message."""
        arrived = [each.service for each in deliveries if each.problem is None]
        occasion = word.occasion.value
        if arrived:
            tell(Notice(event="notified", facts={"occasion": occasion, "services": arrived}))
        for each in deliveries:
            if each.problem is not None:
                facts = {
                    "occasion": occasion,
                    "service": each.service,
                    "address": shown(self._addresses[each.at]),
                    "message": each.problem,
                }
                tell(Notice(event="not_notified", serious=True, facts=facts))

    def _figures(self) -> Snapshot | None:
        if not (self._folder / database.LEDGER_NAME).exists():
            return None
        try:
            return snapshot.take(self._folder)
        except LedgerError:
            return None


def _steps(shot: Snapshot) -> list[str]:
    return list(next_steps(shot, command=shot.command or UNKNOWN_COMMAND))

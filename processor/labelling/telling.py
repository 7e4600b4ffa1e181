"""Word of labels that were downloaded, for whoever does not wait for them."""

from collections.abc import Sequence

from processor.console import notify_lines
from processor.console.streams import tell
from processor.loop import run_in_loop
from processor.notice import Notice
from processor.notifying.notifier import Notifier
from processor.opened import Opened
from processor.signals import guarded
from processor.watch import snapshot


def tell_of_end(it: Opened, exit_code: int, steps: Sequence[str]) -> None:
    """Tell those who want to know how it ended; a message that does not arrive changes nothing.

    Args:
        it: The run.
        exit_code: Of the script.
        steps: What there is, and what to do now.
    """
    notifier = Notifier(it.settings, it.folder)
    word = notifier.at_end(snapshot.take(it.folder), exit_code, steps)
    if word is not None:
        deliveries = run_in_loop(guarded(notifier.post(word)), fast=False)
        notifier.tell_of(word, deliveries, _tell)


def _tell(notice: Notice) -> None:
    line = notify_lines.line(notice)
    if line is not None:
        tell(line)

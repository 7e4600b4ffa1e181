"""What is asked about a run's answers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from processor.errors import UsageError
from processor.ledger.repeats import REPEAT_OF
from processor.quality.run import Run

_USUAL_GROUPS = ("페르소나", "persona")
_USUAL_QUESTIONS = ("질문", "question")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is looked at, and how much of it.

    Attributes:
        group: Column that tells whose answers are told apart; None for the usual names.
        within: Column that tells what was asked; None for the usual names.
        speaker: Column that tells who answers, where a group is made of several, such as the
            personas of a temperament; None for the usual names.
        same_by: Columns that make two items the same input; empty for what `--repeat` says.
        gold: Column with the right labels; None for none.
        most: Answers that are drawn for what is not counted over all.
        seed: Of draws, intervals and shuffles.
    """

    group: str | None = None
    within: str | None = None
    speaker: str | None = None
    same_by: tuple[str, ...] = ()
    gold: str | None = None
    most: int = 2_000
    seed: int = 0

    def of(self, run: Run) -> "Terms":
        """The same for a run, with the usual columns where none is named.

        Raises:
            UsageError: A named column is not there, or what is asked does not fit the task.
        """
        self._check(run)
        group = self.group or _first(_USUAL_GROUPS, run.columns)
        within = self.within or _first(_USUAL_QUESTIONS, run.columns)
        speaker = self.speaker or _first(_USUAL_GROUPS, run.columns)
        repeated = (REPEAT_OF,) if REPEAT_OF in run.columns else ()
        return replace(
            self,
            group=group,
            within=None if within == group else within,
            speaker=None if speaker == group else speaker,
            same_by=self.same_by or repeated,
        )

    def _check(self, run: Run) -> None:
        named = {
            "--group": [self.group],
            "--within": [self.within],
            "--speaker": [self.speaker],
            "--gold": [self.gold],
        }
        for option, columns in (named | {"--same-by": list(self.same_by)}).items():
            for column in columns:
                if column is not None:
                    run.expect(column, option)
        if self.gold is not None and run.form != "labels":
            raise UsageError(
                f"--gold goes with labels, and the answers of {run.task!r} are {run.form}",
                way_out="Leave it out.",
            )
        if self.group is not None and self.group == self.within:
            raise UsageError(
                f"--group and --within both name {self.group!r}",
                way_out="Name the column of who answers, and that of what was asked.",
            )


def _first(names: Sequence[str], columns: Sequence[str]) -> str | None:
    return next((name for name in names if name in columns), None)

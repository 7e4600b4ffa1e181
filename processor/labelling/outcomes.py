"""What a run's ledger knows of its rows: answers, what they were asked, what they cost."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from processor import jsontext
from processor.items import Usage
from processor.labelling.answers import Answer, Known, asked_id
from processor.ledger import database, results
from processor.ledger.database import LEDGER_NAME
from processor.ledger.ledger import Ledger
from processor.ledger.requeue import requeue_answered
from processor.tasks.prompt import PromptTask
from processor.watch import snapshot

_ANSWERS = """
SELECT id, items.seq, IIF(succeeded, result, NULL), at, code, message
FROM items LEFT JOIN outcomes USING (seq) ORDER BY items.seq
"""


def known(folder: Path) -> Known:
    """The answers of a run.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(folder / LEDGER_NAME) as connection, database.decoding():
        return Known(
            (
                key,
                Answer(seq=seq, label=label, at=at or 0.0, code=code, message=message),
            )
            for key, seq, label, at, code, message in connection.execute(_ANSWERS)
        )


def asked(folder: Path, task: PromptTask) -> Iterator[tuple[str, int]]:
    """What every row of a run was asked, and its place in it.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(folder / LEDGER_NAME) as connection:
        for seq, fields in connection.execute("SELECT seq, fields FROM items ORDER BY seq"):
            yield asked_id(task, jsontext.loads(fields)), seq


def columns(folder: Path) -> Sequence[str]:
    """The columns that the rows of a run had.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading(folder / LEDGER_NAME) as connection:
        return [column.name for column in results.columns(connection)]


def usage(folder: Path) -> tuple[Usage, float | None]:
    """The tokens of all answers of a run, and what they cost in US dollars."""
    overall = snapshot.take(folder).overall
    tokens = Usage(
        prompt_tokens=overall.prompt_tokens,
        completion_tokens=overall.completion_tokens,
        cached_tokens=overall.cached_tokens,
    )
    return tokens, overall.cost_usd


def ask_again(ledger: Ledger, seqs: Collection[int]) -> None:
    """Make items pending again that failed."""
    connection = ledger.connection
    with ledger.guard(), database.transaction(connection):
        connection.execute("CREATE TEMP TABLE chosen (seq INTEGER PRIMARY KEY)")
        connection.executemany("INSERT INTO chosen VALUES (?)", [(seq,) for seq in seqs])
        requeue_answered(connection, "SELECT seq FROM chosen")
        connection.execute("DROP TABLE chosen")

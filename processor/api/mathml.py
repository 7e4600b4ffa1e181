"""The users' first job under the name that they call it by."""

from itertools import islice
from typing import Any, Unpack

from processor.api.items import Given
from processor.api.knobs import Knobs
from processor.api.options import Options
from processor.api.processor import Processor
from processor.api.results import RunReport
from processor.data import BadRow, open_source
from processor.data.wanted import Wanted
from processor.environment import environment
from processor.errors import InputError, UsageError
from processor.tasks.toml import load_task

_TASK = "mathml"


class BatchMathMLProcessor:
    """MathML to checked LaTeX, a chunk of questions at a time.

        processor = BatchMathMLProcessor(api_key, batch_size=50)
        processor.wait_time = 5
        report = processor.process()  # what is new in the database, and back into it
        report = processor.process(processor.load_data_from_database(limit=500), outputs="all.xlsx")

    Args:
        api_key: Of the provider; by default the environment's.
        batch_size: Questions in a result file, `conversion_results_batch_001.json` and so on.
        wait_time: Seconds between chunks; 0 goes on at once, because limits are learnt.
        sandbox: Use a local server: no key, no cost.
        settings: See `Processor`.

    Attributes:
        batch_size: As above; may be set until `process`.
        wait_time: The same.
    """

    def __init__(
        self,
        api_key: str | None = None,
        /,
        batch_size: int = 100,
        wait_time: float = 0,
        *,
        sandbox: bool = False,
        **settings: Unpack[Knobs],
    ) -> None:
        self.batch_size = batch_size
        self.wait_time = wait_time
        self._sandbox = sandbox
        self._settings = Knobs(logs="logs", route="direct")
        self._settings.update(settings)
        if api_key is not None:
            self._settings["api_key"] = api_key

    def load_data_from_database(self, limit: int | None = None) -> list[dict[str, Any]]:
        """The questions of the database that `DATABASE_URL` names.

        Args:
            limit: How many at most; None for all of them.

        Raises:
            UsageError: No database is named.
            InputError: It cannot be read.
        """
        found: list[dict[str, Any]] = []
        source = open_source(_database(), wanted=Wanted(otherwise=load_task(_TASK).query))
        for row in islice(source.rows(), limit):
            if isinstance(row, BadRow):
                raise InputError(row.problem, source="DATABASE_URL", row=row.number)
            found.append(dict(row.fields))
        return found

    def process(self, items: Given | None = None, **options: Unpack[Options]) -> RunReport:
        """Convert questions; returns once every one has an outcome.

        Without items, what is new in the database is converted and written back into it, as the
        command line would. Of items that a program holds nobody knows where they came from; there
        `outputs` names the database.

        Args:
            items: Mappings with `question_id` and `mathml`, a data frame, or a table's name; by
                default all questions of the database.
            options: See `Options`.

        Raises:
            ProcessorError: Bad input, a held folder, a failing disk.
        """
        settings = self._settings.copy()
        settings["chunk_size"] = self.batch_size
        settings["wait_s"] = self.wait_time
        rows: Given = _database() if items is None else items
        engine = Processor(sandbox=self._sandbox, **settings)
        return engine.run_sync(_TASK, rows, **options)


def _database() -> str:
    address = environment().get("DATABASE_URL")
    if address is None:
        raise UsageError(
            "DATABASE_URL not found",
            way_out="Set it: export DATABASE_URL=postgresql://user:password@host/database",
        )
    return address

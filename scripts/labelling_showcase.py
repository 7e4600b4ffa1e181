"""Labels for two tables by the three commands, and what came of every row.

    python scripts/labelling_showcase.py                      600 and 12,000 rows: a minute
    python scripts/labelling_showcase.py --news news.csv      a table of your own for the first

The first table meets a provider that answers one row in fifty with an error. What failed is
submitted again from `_failed.csv` and merged into the whole until nothing is left.

The second is large enough to be split, and meets a provider whose queue holds 900,000 tokens, a
third of it. It is submitted once; then a loop looks how it is, as users' scripts do, by the one id
that was printed. Everything is typed as users type it: scripts/batch_labeling_openai.py in
processes of its own, against a local sandbox.

What is printed is counted at the end: rows in the tables, and what the sandbox charged. The exit
code is 1 when a row is lost, stands elsewhere or is paid twice.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _bench import machine_line, table

from processor.sandbox_process import sandbox

_SCRIPT = Path(__file__).with_name("batch_labeling_openai.py")
_FAILING = "bad_request:on=line,rate=0.02"
_QUEUE_TOKENS = 900_000
_LOOK_EVERY_S = 0.5
_AGAIN_MOST = 10
_WORDS = ("정부는 새 정책을 발표했다", "야당은 우려를 나타냈다", "시민들은 성과를 반겼다")


@dataclass(slots=True)
class Desk:
    """A folder in which commands are typed.

    Attributes:
        seconds: By command, of all its calls.
        looks: How often it was asked how a job is.
    """

    path: Path
    url: str
    seconds: dict[str, float] = field(default_factory=dict)
    looks: int = 0

    def type(self, mode: str, *arguments: str) -> tuple[int, str]:
        """Type a command; returns its exit code and what it said."""
        began_s = time.perf_counter()
        command = [sys.executable, str(_SCRIPT), "--mode", mode, "--base-url", self.url]
        done = subprocess.run(  # noqa: S603 - our own command
            [*command, "--price", "0.1,0.5", *arguments],
            cwd=self.path,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        self.seconds[mode] = self.seconds.get(mode, 0.0) + time.perf_counter() - began_s
        return done.returncode, done.stdout

    def wait(self, batch_id: str) -> None:
        """Look how a job is until it is done."""
        while True:
            self.looks += 1
            code, said = self.type("check", "--batch-id", batch_id)
            status = next(line.split()[1] for line in said.splitlines() if "상태:" in line)
            if code or status == "completed":
                return
            time.sleep(_LOOK_EVERY_S)

    def batch_id(self) -> str:
        """Of the job that was submitted last."""
        info = json.loads((self.path / "batch_info_openai.json").read_text("utf-8"))
        return str(info["batch_id"])

    def stats(self) -> Any:
        """What the sandbox has seen since it was asked last."""
        told = _asked(self.url, "stats?items=1")
        _asked(self.url, "stats/reset", {})
        return told


def main(arguments: Sequence[str] | None = None) -> int:
    """Print tables; 1 when a row is lost, stands elsewhere or is paid twice."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--news", type=Path, help="CSV with a column text; 600 made-up rows else")
    parser.add_argument("--rows", type=int, default=12_000, help="of the second table")
    parser.add_argument("--shard-size", type=int, help="of it, where it is too small to be split")
    given = parser.parse_args(arguments)
    times = ["--validating-s", "0.1", "--in-progress-s", "0.3", "--finalizing-s", "0.1"]
    with (
        tempfile.TemporaryDirectory() as folder,
        sandbox(["--latency-ms", "0", "--fault", _FAILING, *times]) as url,
    ):
        print(f"{machine_line()}\n", flush=True)
        desk = Desk(path=Path(folder), url=url)
        is_good = _failures(desk, given.news)
        _asked(url, "faults", {"clear": True})
        queue = max(1, _QUEUE_TOKENS * given.rows // 12_000)
        _asked(url, "config", {"enqueued_tokens": queue, "enqueued_form": "400"})
        split = [] if given.shard_size is None else ["--shard-size", str(given.shard_size)]
        return 0 if _split(Desk(path=Path(folder), url=url), given.rows, split) and is_good else 1


def _failures(desk: Desk, news: Path | None) -> bool:
    """Label a table of which rows fail, and send these again until none is left."""
    if news is None:
        _write(desk.path / "news.csv", 600)
    else:
        (desk.path / "news.csv").write_bytes(news.read_bytes())
    steps = list[tuple[object, ...]]()
    wanted = _texts(desk.path / "news.csv")
    source = "news.csv"
    for attempt in range(1 + _AGAIN_MOST):
        desk.type("submit", "--input", source)
        desk.wait(desk.batch_id())
        code, _ = desk.type("download", "--input", "news.csv", "--output", "labeled.csv")
        whole = _rows(desk.path / "labeled.csv")
        labelled = sum(row["labeled"] == "True" for row in whole)
        failed = len(whole) - labelled
        name = f"again {attempt}" if attempt else "first"
        steps.append((name, source, labelled, failed, f"exit code {code}"))
        source = "labeled_failed.csv"
        if not failed:
            break
    print(table(("submission", "of", "labelled", "failed", "download"), steps), flush=True)
    stats = desk.stats()
    figures = {
        "rows in order": ([row["text"] for row in whole] == wanted, True),
        "labelled": (labelled, len(wanted)),
        "paid": (stats["paid"], len(wanted)),
        "paid twice": (stats["items"]["paid_twice"], 0),
        "table of failed rows is left": ((desk.path / source).exists(), False),
    }
    return _holds(figures, desk)


def _split(desk: Desk, rows: int, split: Sequence[str]) -> bool:
    """Label a table that is sent in many batches, a few at a time, by one id."""
    _write(desk.path / "large.csv", rows)
    _, said = desk.type("submit", "--input", "large.csv", *split)
    batch_id = desk.batch_id()
    at_once = next((line.strip() for line in said.splitlines() if "대기 중" in line), "")
    desk.wait(batch_id)
    arguments = ("--input", "large.csv", "--output", "large_labeled.csv")
    desk.type("download", "--batch-id", batch_id, *arguments)
    whole = _rows(desk.path / "large_labeled.csv")
    stats = desk.stats()
    print(f"\n{rows:,} rows. {at_once}\n", flush=True)
    figures = {
        "rows in order": (
            [row["text"] for row in whole] == _texts(desk.path / "large.csv"),
            True,
        ),
        "labelled": (sum(row["labeled"] == "True" for row in whole), rows),
        "paid": (stats["paid"], rows),
        "paid twice": (stats["items"]["paid_twice"], 0),
        "waited for room": (bool(at_once), True),
    }
    return _holds(figures, desk)


def _holds(figures: Mapping[str, tuple[object, object]], desk: Desk) -> bool:
    lines = [
        (name, found, wanted, "yes" if found == wanted else "**no**")
        for name, (found, wanted) in figures.items()
    ]
    print(f"\n{table(('figure', 'counted', 'must be', 'holds'), lines)}\n")
    times = ", ".join(f"{mode} {seconds:.1f} s" for mode, seconds in desk.seconds.items())
    print(f"{times}; {desk.looks} looks\n", flush=True)
    return all(found == wanted for found, wanted in figures.values())


def _write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "title", "date"))
        writer.writerows(
            (f"{number}번째 기사: {_WORDS[number % 3]}.", f"제목 {number}", "")
            for number in range(rows)
        )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _texts(path: Path) -> list[str]:
    return [row["text"] for row in _rows(path)]


def _asked(url: str, route: str, body: Any = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{url.removesuffix('/v1')}/sandbox/{route}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())

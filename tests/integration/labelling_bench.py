"""The labelling script, typed as its users type it, in a folder of its own."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_line import Result, Shell

from processor.labelling.command import main

INPUT, OUTPUT = "data/unlabeled_news.csv", "data/labeled_news.csv"
FAILED = "data/labeled_news_failed.csv"
BOM = b"\xef\xbb\xbf"
A_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Newsroom:
    """A folder with a table of articles, before a sandbox that outlives the commands."""

    shell: Shell

    def __call__(self, *arguments: str) -> Result:
        """Type the script; a sandbox is asked unless the arguments say who is."""
        self.shell.capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = self.shell.capture.readouterr()
        assert isinstance(ended.value.code, int)
        return Result(ended.value.code, said.out, said.err)

    def submit(self, *arguments: str, table: str = INPUT) -> Result:
        return self("--mode", "submit", "--input", table, *arguments)

    def check(self, *arguments: str) -> Result:
        return self("--mode", "check", *arguments)

    def download(self, *arguments: str) -> Result:
        return self("--mode", "download", "--input", INPUT, "--output", OUTPUT, *arguments)

    def write(self, content: bytes, name: str = INPUT) -> None:
        path = self.shell.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    def articles(self, count: int, *, more: str = "") -> list[dict[str, str]]:
        """Write made-up articles that no other test has; returns them."""
        where = self.shell.folder.name
        rows = [
            {"text": f"{where} {n}번째 기사, 정부는 말했다{more}", "title": f"제목 {n}", "date": ""}
            for n in range(count)
        ]
        self.rewrite(rows)
        return rows

    def rewrite(self, rows: list[dict[str, str]], name: str = INPUT) -> None:
        path = self.shell.folder / name
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    def read(self, name: str = OUTPUT) -> list[dict[str, str]]:
        path = self.shell.folder / name
        assert path.read_bytes().startswith(BOM)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def requests(self) -> list[dict[str, Any]]:
        """The lines of the file of requests."""
        lines = self.path("batch_openai.jsonl").read_bytes().splitlines()
        return [json.loads(line) for line in lines]

    def labels(self) -> dict[str, str]:
        """Text to label, of the labelled table."""
        return {row["text"]: row["label"] for row in self.read()}

    def info(self) -> dict[str, Any]:
        info: dict[str, Any] = json.loads(self.path("batch_info_openai.json").read_text("utf-8"))
        return info

    def path(self, name: str) -> Path:
        return self.shell.folder / name

    def created(self) -> int:
        """Batches that were made."""
        return int(self.shell.stats()["by_route"].get("POST /v1/batches", 0))

    def paid_twice(self) -> int:
        return int(self.shell.stats()["items"]["paid_twice"])

    def end_batches(self) -> None:
        self.shell.pass_time(A_DAY_S)


def status_of(said: str) -> str:
    """What the users' `grep "상태:" | awk '{print $2}'` gives."""
    (line,) = [line for line in said.splitlines() if "상태:" in line]
    return line.split()[1]

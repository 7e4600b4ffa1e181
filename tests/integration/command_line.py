"""The command line, called as a user calls it, in a folder of its own."""

import json
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from processor.cli import main

SAY = """\
name = "say"
model = "gpt-6-luna"
id = "row"
prompt = "Say {{ word }}."
[output]
kind = "text"
"""
NEWS = """\
name = "news"
model = "gpt-6-luna"
prompt = "기사를 0, 1, 2 가운데 하나로 분류하세요: {{ text }} {{ edition | default('') }}"
[output]
kind = "label"
labels = { "0" = "옹호 (Support)", "1" = "중립 (Neutral)", "2" = "비판 (Oppose)" }
"""
VECTORS = """\
name = "vectors"
model = "text-embedding-3-small"
endpoint = "/v1/embeddings"
prompt = "{{ text }}"
parameters = { dimensions = 8 }
[output]
kind = "embedding"
"""


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Shell:
    """A working directory, and a sandbox that outlives the commands."""

    folder: Path
    url: str
    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Result:
        self.capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = self.capture.readouterr()
        assert isinstance(ended.value.code, int)
        return Result(ended.value.code, said.out, said.err)

    def run(self, *arguments: str) -> Result:
        """`processor run` against the sandbox, quietly."""
        return self("run", "--base-url", self.url, "--quiet", *arguments)

    def write(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def stats(self, *, items: bool = False) -> dict[str, Any]:
        """What the sandbox has seen."""
        return self._admin("stats" + ("?items=1" if items else ""))

    def reset(self, **config: Any) -> None:
        """Forget what the sandbox has seen and which faults it has."""
        self._admin("stats/reset", {})
        self._admin("faults", {"clear": True})
        if config:
            self._admin("config", config)

    def fault(self, spec: str) -> None:
        """Let the sandbox go wrong."""
        self._admin("faults", {"set": [spec]})

    def forget(self) -> None:
        """No file and no batch was ever there, as after thirty days, or under another key."""
        self._admin("forget", {})

    def pass_time(self, seconds: float) -> None:
        """Move a sandbox's manual clock, and its batches with it."""
        self._admin("clock", {"advance_s": seconds})

    def the_run(self) -> Path:
        """The only run folder."""
        (folder,) = (self.folder / "runs").iterdir()
        return folder

    def figures(self) -> dict[str, Any]:
        """`conversion_stats.json` of the only run."""
        figures: dict[str, Any] = json.loads((self.the_run() / "conversion_stats.json").read_text())
        return figures

    def _admin(self, route: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            self.url.removesuffix("/v1") + "/sandbox/" + route,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

"""`processor run` as a process beside the test's own servers, in an environment of its own."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from run_bench import KEY, Folder

_OTHERS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "SSL_CERT_FILE", "SSL_CERT_DIR", "DATABASE_URL")


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended, and everything that it left."""

    code: int
    out: str
    err: str
    folder: Folder

    @property
    def everything(self) -> str:
        """What it said, and every byte below its folder but the rows and the task."""
        given = {"rows.jsonl", "greet.toml"}
        files = (path for path in self.folder.path.rglob("*") if path.is_file())
        left = [path.read_bytes().decode("latin-1") for path in files if path.name not in given]
        return "\n".join([self.out, self.err, *left])


async def command(
    folder: Folder, *options: str, key: str = KEY, env: Mapping[str, str] | None = None
) -> Ended:
    """Run it to its end; proxies and certificates are only those of `env`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _OTHERS and not name.lower().endswith("_proxy")
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "processor", "run", "--task", "greet.toml"),
        *("--input", "rows.jsonl", "--base-url", folder.url, "--out", "out", "--quiet", *options),
        cwd=folder.path,
        env={**kept, "OPENAI_API_KEY": key, **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode(), folder)

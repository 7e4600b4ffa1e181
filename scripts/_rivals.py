"""Runs rival tools over the same rows, against the same local server.

    processor sandbox --latency-ms 0 --port 8080
    python scripts/_rivals.py --url http://127.0.0.1:8080/v1 --rows rows.jsonl openai lm-deluge

Each rival works in a process of its own, in an environment of its own that is made on first use in
the user's cache folder. Its options are its defaults, but for the number of calls in flight and
limits that it would have to be told. It reaches nothing but this machine.

`rows.jsonl` holds `{"id", "topic", "number"}` a line. What the server refuses, how fast it answers
and how many calls it allows a minute is the caller's choice: see `processor sandbox --help`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from _bench import machine_line, table
from filelock import FileLock

MODEL = "gpt-6-luna"
_START_UP_S = 120.0
_SCRIPTS = Path(__file__).resolve().parent

# Name to what pip installs for it; the module of the same name in `rivals` runs it.
_RIVALS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "openai": ("openai==3.52.0",),
        "lm-deluge": ("lm-deluge==0.0.168",),
        "flexllm": ("flexllm==0.17.10",),
        "saturate": ("saturate==0.2.0",),
        "async-batch-llm": ("async-batch-llm[openai]==0.28.0",),
        "litellm": ("litellm==1.106.2",),
        "inspect-ai": ("inspect-ai==0.3.285", "openai==3.52.0"),
        "curator": ("bespokelabs-curator==0.1.31",),
    }
)

# Nobody is told that a rival was used, and nothing is fetched: the proxy takes no connection.
_QUIET: Mapping[str, str] = MappingProxyType(
    {
        "DO_NOT_TRACK": "1",
        "TELEMETRY_ENABLED": "false",
        "LITELLM_TELEMETRY": "False",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1,localhost",
    }
)


class RivalError(Exception):
    """A rival could not be installed, or ended without a result."""


class NoResultError(RivalError):
    """A rival ended without a result; what it sent, it sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RivalResult:
    """What a rival made of the rows.

    Attributes:
        name: The rival's.
        version: The rival's.
        answered: Rows for which it gave back text.
        lost: The other rows.
        cpu_s: CPU time of its work, all threads, without its imports.
        wall_s: Time of its work.
        finished: Whether it ended by itself; otherwise time was up, and `answered` is what its
            caller had in hand by then.
    """

    name: str
    version: str
    answered: int
    lost: int
    cpu_s: float
    wall_s: float
    finished: bool = True


def available() -> tuple[str, ...]:
    """The rivals that can be run, by name."""
    return tuple(_RIVALS)


def run(
    name: str,
    *,
    url: str,
    key: str,
    rows_path: Path,
    concurrency: int,
    timeout_s: float,
    python: Path | None = None,
) -> RivalResult:
    """Let a rival ask about every row.

    Args:
        name: One of `available()`.
        url: Base URL of the API.
        key: Its key.
        rows_path: JSONL with `id`, `topic`, `number`.
        concurrency: Calls in flight.
        timeout_s: Seconds after which the rival is ended; installing it does not count.
        python: Of an environment that has the rival; None makes one on first use.

    Raises:
        NoResultError: It ended without a result.
        RivalError: It cannot be installed.
    """
    python = python or _environment(name)
    with tempfile.TemporaryDirectory() as home:
        arguments = [
            *("--url", url),
            *("--rows", str(rows_path.resolve())),
            *("--model", MODEL),
            *("--concurrency", str(concurrency)),
            *("--timeout", str(timeout_s)),
        ]
        process = subprocess.Popen(  # noqa: S603 - our own module
            [python, "-P", "-m", f"rivals.{_module(name)}", *arguments],
            cwd=home,
            env=_surroundings(home, key),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        try:
            said, told = process.communicate(timeout=timeout_s + _START_UP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            said, told = process.communicate()
    return _result(name, said, told)


def _module(name: str) -> str:
    return name.replace("-", "_")


def _surroundings(home: str, key: str) -> dict[str, str]:
    """An environment in which nothing of the user's is found or changed."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": home,
        "TMPDIR": home,
        "PYTHONPATH": str(_SCRIPTS),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENAI_API_KEY": key,
        **_QUIET,
    }


def _result(name: str, said: str, told: str) -> RivalResult:
    for line in reversed(said.splitlines()):
        if line.startswith('{"version"'):
            return RivalResult(name=name, **json.loads(line))
    last = "\n".join(told.splitlines()[-15:])
    raise NoResultError(f"{name} ended without a result:\n{last}")


def _environment(name: str) -> Path:
    """The Python of a rival's environment, which is made when it is not there yet."""
    requirements = _RIVALS[name]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "request-processor" / "rivals" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    python, stamp = folder / "bin" / "python", folder / "installed.txt"
    wanted = "\n".join((platform.python_version(), *requirements))
    with FileLock(folder.with_suffix(".lock")):
        if not stamp.exists() or stamp.read_text() != wanted:
            print(f"Installing {', '.join(requirements)} into {folder} (once)", file=sys.stderr)
            venv.create(folder, clear=True, with_pip=True)
            _install(python, requirements)
            stamp.write_text(wanted)
    return python


def _install(python: Path, requirements: Sequence[str]) -> None:
    done = subprocess.run(  # noqa: S603 - what is installed stands above
        [python, "-m", "pip", "install", "-q", "--only-binary", ":all:", *requirements],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise RivalError(f"{', '.join(requirements)}: {' '.join(errors) or done.stderr}")


def _figures(result: RivalResult) -> tuple[str, ...]:
    ended = "" if result.finished else " (time was up)"
    return (
        result.name,
        result.version,
        f"{result.answered:,}",
        f"{result.lost:,}",
        f"{result.cpu_s / result.answered * 1e6:,.0f} µs" if result.answered else "–",
        f"{result.answered / result.wall_s:,.0f}{ended}",
    )


def main() -> None:
    """Runs the rivals that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(available()))
    parser.add_argument("--url", required=True, help="base URL of the server")
    parser.add_argument("--rows", required=True, type=Path, help="JSONL: id, topic, number")
    parser.add_argument("--key", default="sk-rivals", help="for the server")
    parser.add_argument("--concurrency", type=int, default=50, help="calls in flight")
    parser.add_argument("--timeout", type=float, default=120.0, help="seconds for each")
    options = parser.parse_args()
    unknown = sorted({*options.names} - {*available()})
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(available())}")
    results = []
    for name in options.names or available():
        try:
            results.append(
                run(
                    name,
                    url=options.url,
                    key=options.key,
                    rows_path=options.rows,
                    concurrency=options.concurrency,
                    timeout_s=options.timeout,
                )
            )
        except RivalError as error:
            print(error, file=sys.stderr)
    head = ("tool", "version", "answered", "lost", "CPU an answer", "answers a second")
    print(f"{machine_line()}; {options.concurrency} calls at once\n")
    print(table(head, [_figures(result) for result in results]))


if __name__ == "__main__":
    main()

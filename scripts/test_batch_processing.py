"""Check a set-up from end to end within a minute: key, address, model, a call, and a small batch.

    python scripts/test_batch_processing.py                      what the environment says
    python scripts/test_batch_processing.py --sandbox            no key, no cost
    python scripts/test_batch_processing.py --model gpt-6-luna --most 600
    OPENAI_BASE_URL=http://127.0.0.1:8080/v1 python scripts/test_batch_processing.py

A line for each step: what was found, how long it took, and what to do where something is wrong.
Without a key and an address a local server of its own is asked. A paid API gets one call of 16
tokens at most and three requests by batch, which costs a fraction of a cent. Its batch may take
hours: after --most seconds the check leaves, and the same command goes on with that batch.

Exit codes: 0 all fine · 1 something is wrong here · 2 the batch ended, requests failed · 3 the
provider or the network is at fault · 6 the batch is still at the provider · 130 interrupted.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NoReturn

if __name__ == "__main__":
    from _home import enter

    enter(__file__)

from _setup_check import (
    LINES,
    WAITS,
    Setup,
    Timed,
    around,
    batch,
    expected,
    new_folder,
    open_check,
)

from processor.configuration import gathered
from processor.console import streams
from processor.doctor.finding import Finding, Level, exit_code, ok
from processor.errors import ProcessorError
from processor.layers import ADDRESS
from processor.loop import run_in_loop
from processor.report import EXIT_AT_PROVIDER, EXIT_INTERRUPTED, EXIT_ITEMS_FAILED

__test__ = False  # for pytest: the name of this script is its users'

_MARKS = {Level.OK: "✓", Level.NOTE: "!", Level.WRONG: "✗", Level.SKIPPED: "–"}
_NAME = 11


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Bad usage ends with 1, as everywhere."""
        self.print_usage(sys.stderr)
        self.exit(1, f"Error: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, and tell step by step; returns the exit code."""
    streams.make_safe()
    options = _options(arguments)
    try:
        return _checked(_setup(options))
    except ProcessorError as error:
        streams.tell(f"Error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        streams.tell("Interrupted; the same command goes on.")
        return EXIT_INTERRUPTED


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = _Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="the model to ask  [default: that of the task persona]")
    parser.add_argument("--base-url", metavar="URL", help="of the API  [OPENAI_BASE_URL]")
    parser.add_argument("--profile", metavar="NAME", help="of processor.toml")
    parser.add_argument(
        "--sandbox", action="store_true", help="ask a local server: no key, no cost"
    )
    parser.add_argument(
        "--most", type=_seconds, default=40.0, metavar="S", help="to wait for the batch  [40]"
    )
    options = parser.parse_args(arguments)
    if options.sandbox and options.base_url:
        parser.error("--sandbox and --base-url exclude each other")
    return options


def _seconds(typed: str) -> float:
    value = float(typed)
    if not 0 <= value <= 86_400:
        raise ValueError(typed)
    return value


def _setup(options: argparse.Namespace) -> Setup:
    given: dict[str, Any] = {"base_url": options.base_url, "profile": options.profile}
    contact = {name: value for name, value in given.items() if value is not None}
    batches = {"route": "batch", "description": "set-up check", "model": options.model}
    wished = {**batches, "base_url": options.base_url}

    def found(*, by_sandbox: bool) -> Any:
        return gathered(wished, profile=options.profile, sandbox=by_sandbox)

    by_sandbox = options.sandbox or not {"api_key", ADDRESS} & found(by_sandbox=False).keys()
    if by_sandbox and not options.sandbox:
        streams.say("Neither a key nor an address: a local sandbox is asked, which costs nothing.")
    return Setup(
        found=found(by_sandbox=by_sandbox),
        contact={} if by_sandbox else contact,
        by_sandbox=by_sandbox,
        most_s=options.most,
    )


def _checked(setup: Setup) -> int:
    findings = [_shown((ok("cost", expected(setup)), 0.0))]

    async def look() -> None:
        async for timed in around(setup):
            findings.append(_shown(timed))

    run_in_loop(look())
    if code := exit_code(findings):
        streams.say("✗ The batch was not tried: mend what stands above, then give this again.")
        return code
    folder = open_check(setup) or new_folder()
    findings += map(_shown, _batch_steps(setup, folder))
    code = _code_of(findings)
    if code == 0:
        streams.say("✓ Everything works.")
        if setup.by_sandbox:
            shutil.rmtree(folder)
            with suppress(OSError):  # others are there
                folder.parent.rmdir()
                folder.parent.parent.rmdir()
    return code


def _batch_steps(setup: Setup, folder: Any) -> Iterator[Timed]:
    if folder.exists():
        streams.say(f"Going on with the batch of {folder}.")
    return batch(setup, folder)


def _code_of(findings: list[Finding]) -> int:
    if findings[-1].name == WAITS:  # nothing came after it
        return EXIT_AT_PROVIDER
    if any(each.name == LINES and each.level is Level.WRONG for each in findings):
        return EXIT_ITEMS_FAILED
    return exit_code(findings)


def _shown(timed: Timed) -> Finding:
    finding, took_s = timed
    streams.say(f"{_MARKS[finding.level]} {finding.name:<{_NAME}} {finding.said} [{took_s:.2f} s]")
    if finding.way_out:
        streams.say(f"  {'':<{_NAME}} → {finding.way_out}")
    return finding


if __name__ == "__main__":
    raise SystemExit(main())

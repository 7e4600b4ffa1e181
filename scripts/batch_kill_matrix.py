"""Kills a run by batch behind every step of its protocol, whatever else goes wrong.

    python scripts/batch_kill_matrix.py                  every step in every circumstance
    python scripts/batch_kill_matrix.py --step batch_created --step batch_kept
    python scripts/batch_kill_matrix.py --relays         a run a circumstance, every start killed

The steps are those that the lane itself tells of (`processor.batch.steps`). Each run has 13 rows in
three shards (2,100 in two where answers are recorded in parts), of which two fail first and go out
in a batch of their own. A start is killed with SIGKILL right behind the step, the first time that
it is taken and then, in another run, the second time; the next start comes to its end.

What must hold is counted by the sandbox: one live batch a shard, every row paid for once. And the
ledger counts as many requests and tokens, every row has its result, nothing is left over.

The exit code is 1 when anything was found. `tests/crash` has the small form.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from _batch_kills import CIRCUMSTANCES, Case, Circumstance, Tale, relay, single, stage
from _bench import machine_line, table

from processor.batch.steps import Step

_WHICH = (1, 2)
_HEAD = (
    *("killed behind", "besides", "kills", "rows", "batches", "live", "paid", "paid twice"),
    *("seconds", "harm"),
)

Row = tuple[object, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, and what is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--step", action="append", type=Step, choices=list(Step))
    parser.add_argument("--relays", action="store_true")
    given = parser.parse_args(arguments)
    print(f"{machine_line()}\n", flush=True)
    harm, rows = list[str](), list[Row]()
    with tempfile.TemporaryDirectory() as folder, stage() as the_stage:
        for name, circumstance, cases in _matrix(given.step or list(Step), relays=given.relays):
            place = Path(folder) / str(len(rows))
            tales = [
                the_stage.suffer(case, place / str(number)) for number, case in enumerate(cases)
            ]
            rows.append(_row(name, circumstance, cases, tales))
            found = [f"{name}, {circumstance.name}: {line}" for t in tales for line in t.found]
            print("\n".join(found), end="\n" if found else "", file=sys.stderr, flush=True)
            harm += found
    print(table(_HEAD, rows))
    kills = sum(int(str(row[2])) for row in rows)
    print(f"\n{kills} kills behind {len(Step)} steps, {len(harm)} findings")
    return 1 if harm else 0


def _matrix(
    steps: Sequence[Step], *, relays: bool
) -> Iterator[tuple[str, Circumstance, Sequence[Case]]]:
    if relays:
        for circumstance in CIRCUMSTANCES:
            yield "every step in turn", circumstance, [relay(circumstance)]
        return
    for step in steps:
        for circumstance in CIRCUMSTANCES:
            cases = [single(step, circumstance, which=which) for which in _WHICH]
            yield step.value, circumstance, cases


def _row(
    name: str, circumstance: Circumstance, cases: Sequence[Case], tales: Sequence[Tale]
) -> Row:
    return (
        name,
        circumstance.name,
        sum(tale.kills for tale in tales),
        sum(case.rows for case in cases),
        sum(tale.batches for tale in tales),
        sum(tale.live for tale in tales),
        sum(tale.paid for tale in tales),
        sum(tale.twice for tale in tales),
        f"{sum(tale.wall_s for tale in tales):.1f}",
        sum(len(tale.found) for tale in tales),
    )


if __name__ == "__main__":
    sys.exit(main())

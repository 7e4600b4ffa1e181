"""What a refresh of the monitor costs, however large the run is."""

import io
import statistics
import time
from pathlib import Path

from callless_run import Numbers
from ledger_parts import failed, item, ledger_of, rules, settle, succeeded
from rich.console import Console, Group

from processor.console.monitor import picture
from processor.console.monitor.watched import Watched

_MOST_MS = 50.0
_ROUNDS = 15
_WIDTH, _HEIGHT = 200, 50
_PATTERN = 500


def a_run(folder: Path, items: int) -> Watched:
    """A run of which half is done; outcomes are copies of the first, counters are not."""
    codes = ("refused", "timeout", "invalid")
    with ledger_of(folder, 0, chunk_size=100) as ledger:
        ledger.take_in(Numbers(items), rules(chunk_size=100))
        settle(
            ledger.connection,
            *(
                failed(item(seq), code=codes[seq % 3]) if seq % 10 == 0 else succeeded(item(seq))
                for seq in range(1, _PATTERN + 1)
            ),
        )
        names = [name for _, name, *_ in ledger.connection.execute("PRAGMA table_info(outcomes)")]
        copied = ", ".join("seq + ?" if name == "seq" else f'"{name}"' for name in names)
        for after in range(_PATTERN, items // 2, _PATTERN):
            ledger.connection.execute(
                f"INSERT INTO outcomes SELECT {copied} FROM outcomes WHERE seq <= {_PATTERN}",
                (after,),
            )
    return Watched(folder)


def refresh_ms(run: Watched) -> float:
    """CPU of a look and its drawing; the median of several."""
    console = Console(file=io.StringIO(), force_terminal=True, width=_WIDTH, height=_HEIGHT)
    spent = []
    for _ in range(_ROUNDS):
        began_s = time.process_time()
        run.refresh()
        assert run.scene is not None
        console.print(Group(*picture.live(run.scene, _WIDTH, _HEIGHT)))
        spent.append(1e3 * (time.process_time() - began_s))
    return statistics.median(spent)


def test_a_refresh_costs_the_same_for_a_hundred_times_the_items(tmp_path: Path) -> None:
    small_ms = refresh_ms(a_run(tmp_path / "small", 1_000))
    large_ms = refresh_ms(a_run(tmp_path / "large", 100_000))
    print(f"a refresh takes {small_ms:.1f} ms, {large_ms:.1f} ms")
    assert large_ms < _MOST_MS
    assert large_ms < 2 * small_ms + 2

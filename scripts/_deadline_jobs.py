"""Makes deadline_scenarios.json anew: jobs of all sizes, deadlines hardly or easily possible."""

import json
import random
from pathlib import Path
from typing import Any

_SEED, _JOBS = 2026, 200
_SIZES = (50, 200, 1_000, 3_000, 10_000, 30_000, 100_000)
_HARDLY_EVERY = 20  # one in so many has a deadline that the direct lane hardly makes, or not
# How batches behave: how often that is, and the median of what they take, in seconds.
_KINDS = {
    "quick": (3, 600),
    "usual": (5, 3 * 3_600),
    "slow": (3, 10 * 3_600),
    "mixed": (4, 2 * 3_600),
    "never": (2, 3_600),
    "validating": (1, 3_600),
    "fails": (1, 3_600),
    "expires": (1, 3_600),
    "cancels-slowly": (1, 4 * 3_600),
}


def made(number: int, rng: random.Random) -> dict[str, Any]:
    """A job."""
    items = int(rng.choice(_SIZES) * rng.uniform(0.6, 1.6))
    per_s = 10 ** rng.uniform(-0.3, 2.3)
    kind = rng.choices(list(_KINDS), [often for often, _ in _KINDS.values()])[0]
    directly_s = items / per_s
    deadline_s = directly_s * 10 ** rng.uniform(0.0, 2.2) + rng.uniform(900, 20_000)
    deadline_s = max(1_200, min(36 * 3_600, deadline_s))
    if number % _HARDLY_EVERY == 7:
        deadline_s = max(300, directly_s * rng.uniform(0.5, 1.05))
    return {
        "name": f"{number:03d}-{kind}",
        "items": items,
        "deadline_s": round(deadline_s),
        "kind": kind,
        "per_s": round(per_s, 3),
        "rate_swings": rng.choice([0, 0, 0.1, 0.3]),
        "outage_s": rng.choice([0, 0, 0, 300, 900]),
        "believed_per_s": round(per_s * 10 ** rng.uniform(-0.5, 0.5), 3),
        "median_s": round(_KINDS[kind][1] * 10 ** rng.uniform(-0.4, 0.4)),
        "spread": rng.choice([0.2, 0.5, 1.0]),
        "begins_share": rng.choice([0.0, 0.5, 0.9]),
        "cancel_s": rng.choice([10, 120, 600]),
        "unanswered_share": rng.choice([0, 0, 0.01, 0.05]),
        "budget_share": rng.choice([None, None, None, 0.55, 0.8, 1.0, 1.5]),
        "history": rng.choice([0, 0, 5, 30]),
        "seed": rng.randrange(10**6),
    }


def main() -> None:
    """Write the file."""
    rng = random.Random(_SEED)  # noqa: S311 - a fixed series
    lines = [json.dumps(made(number, rng)) for number in range(_JOBS)]
    path = Path(__file__).with_name("deadline_scenarios.json")
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()

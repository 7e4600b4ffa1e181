"""Compares individual calls with batches, and tells from how many items on batching pays.

    python scripts/performance_comparison.py                  # simulated: no key, about a minute
    python scripts/performance_comparison.py --items 10,275 --rounds 3
    python scripts/performance_comparison.py --budget 2 --detach

It is `processor compare` under the users' name: the same options (--help), the same exit codes.
What it finds is in runs/compare-…, in the folder where it is typed; the same command goes on.
"""

import sys

if __name__ == "__main__":
    from _home import enter

    enter(__file__)

from processor.cli import main

if __name__ == "__main__":
    main(["compare", *sys.argv[1:]])

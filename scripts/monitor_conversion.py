#!/usr/bin/env python3
"""Watch the newest run: progress, success, time an item, errors with their remedies, targets.

    python3 monitor_conversion.py
    python3 monitor_conversion.py --wait            started before the run
    python3 monitor_conversion.py runs/NAME

Works from any folder: runs are looked for in runs/ there, then in the project's. --help tells all
options; they are those of `processor monitor`.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    from _home import enter

    enter(__file__)
    from processor.cli import main

    scripts = Path(__file__).resolve().parent
    main(["monitor", "--or-in", str(scripts.parent), "--or-in", str(scripts), *sys.argv[1:]])

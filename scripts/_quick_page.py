"""The server of a run's page, with all its code, that looks more often than once a second.

python scripts/_quick_page.py RUN_FOLDER EVERY_S

Prints its address; ends when its standard input does.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from processor.web.serve import running
from processor.web.shared import Beat


async def serve(folder: Path, every_s: float) -> None:
    """Serve until standard input ends."""
    async with running([folder], port=0, beat=Beat(every_s=every_s)) as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("every_s", type=float)
    options = parser.parse_args()
    asyncio.run(serve(options.folder, options.every_s))


if __name__ == "__main__":
    main()

"""The pictures of the README, each made of a real run before the local server.

python scripts/make_pictures.py              all of them, into scripts/pictures/
python scripts/make_pictures.py terminal     the monitor in the terminal; half a minute
python scripts/make_pictures.py page         the page, in light and in dark; a minute
python scripts/make_pictures.py report       the report of a run that is done; two minutes
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from _page_picture import draw_page
from _pictured import finished, run_in
from _report_picture import draw_report

_PICTURES = Path(__file__).with_name("pictures")
_AT_ITEMS = 900


def terminal(place: Path, pictures: Path) -> None:
    """`terminal.svg`: the monitor, while both lanes work."""
    with run_in(place) as (child, folder):
        finished(child, folder, _AT_ITEMS)
        target = pictures / "terminal.svg"
        command = ["-m", "processor", "monitor", str(folder.relative_to(place))]
        subprocess.run([sys.executable, *command, "--svg", str(target)], cwd=place, check=True)  # noqa: S603 - our own
    print(target)


# By name; each is given an empty working directory for its run, and where pictures go.
PICTURES: Mapping[str, Callable[[Path, Path], None]] = MappingProxyType(
    {"terminal": terminal, "page": draw_page, "report": draw_report}
)


def main() -> None:
    """Make those that were named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    parser.add_argument("--into", type=Path, default=_PICTURES, help="Folder of the pictures.")
    asked = parser.parse_args()
    if unknown := set(asked.names) - PICTURES.keys():
        parser.error(f"no picture is called {', '.join(sorted(unknown))}: {', '.join(PICTURES)}")
    into = asked.into.absolute()
    into.mkdir(parents=True, exist_ok=True)
    for name in asked.names or PICTURES:
        with tempfile.TemporaryDirectory() as place:
            PICTURES[name](Path(place), into)


if __name__ == "__main__":
    main()

"""Where a Python script of this folder finds the project's environment, or makes it.

Uses nothing but the standard library: it runs before there is anything else.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

_SCRIPTS = Path(__file__).resolve().parent
_FIND = 'source "$0/_env.sh" && ensure_env "$1" && printf %s "$PYTHON"'


def enter(script: str, *, extras: str = "sandbox") -> None:
    """Go on in the environment that can import processor; returns at once when this is one.

    Args:
        script: The script's own path, `__file__`.
        extras: Of the package, which the script needs.
    """
    if importlib.util.find_spec("processor") is not None:
        return
    found = subprocess.run(  # noqa: S603 - our own script
        ["bash", "-c", _FIND, str(_SCRIPTS), extras],  # noqa: S607 - wherever bash is
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if found.returncode:
        raise SystemExit(found.returncode)
    python = found.stdout
    os.execv(python, [python, os.path.abspath(script), *sys.argv[1:]])  # noqa: PTH100, S606

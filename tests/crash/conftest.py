"""The crash tests are small forms of a script, and work on ledgers as the unit tests do."""

import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(_ROOT / "scripts"), str(_ROOT / "tests" / "unit")]

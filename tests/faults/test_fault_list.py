"""Every case of the list of faults that can be tested today has a test that carries its number."""

import subprocess
import sys
from pathlib import Path


def test_every_number_has_a_test() -> None:
    """In a process of its own, because it collects all tests anew."""
    script = Path(__file__).with_name("fault_list.py")
    listed = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.startswith("| group | number | tests |")

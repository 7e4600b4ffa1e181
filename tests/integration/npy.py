"""NumPy's file format, read by its specification."""

import ast
import struct
from pathlib import Path


def read_npy(path: Path) -> list[tuple[float, ...]]:
    """The rows of a matrix of little-endian float32."""
    data = path.read_bytes()
    assert data[:8] == b"\x93NUMPY\x01\x00"
    end = 10 + int.from_bytes(data[8:10], "little")
    assert end % 64 == 0
    assert data[end - 1 : end] == b"\n"
    head = ast.literal_eval(data[10:end].decode())
    rows, length = head.pop("shape")
    assert head == {"descr": "<f4", "fortran_order": False}
    assert len(data) == end + rows * length * 4
    return list(struct.iter_unpack(f"<{length}f", data[end:]))

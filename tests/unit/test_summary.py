"""What the end of a run says of its outputs."""

import pytest

from processor.cli import summary
from processor.delivery import Handover
from processor.exports.output import Delivered


@pytest.mark.parametrize(
    ("delivered", "waiting", "told"),
    [
        (Delivered(), 0, "0 new"),
        (Delivered(inserted=1_200), 0, "1,200 new"),
        (Delivered(updated=2, refused_rows=1), 0, "0 new · 2 changed · 0 as they were · 1 refused"),
        (Delivered(inserted=3), 1_997, "3 new · 1,997 wait"),
    ],
)
def test_what_an_output_took_and_what_waits_for_it(
    delivered: Delivered, waiting: int, told: str
) -> None:
    handover = Handover(name="all.csv", delivered=delivered, problem=None, waiting=waiting)
    assert list(summary.handovers([handover])) == [f"  output    all.csv: {told}"]

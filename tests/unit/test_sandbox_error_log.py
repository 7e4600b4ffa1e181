import logging

import pytest
from aiohttp.http import HttpProcessingError

from processor.sandbox.server import _error_log


@pytest.mark.parametrize(
    ("error", "told"), [(HttpProcessingError(message="no HTTP"), []), (KeyError("x"), ["failed"])]
)
def test_only_the_servers_own_failures_are_told(
    error: Exception, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        _error_log().error("failed", exc_info=error)
    assert caplog.messages == told

"""Whom a failed call for a file or a batch concerns."""

import socket
import ssl
from itertools import pairwise
from typing import Any

import httpx2
import orjson
import pytest

from processor.batch.connection_fault import fault_of
from processor.batch.remote_values import RemoteError, Trouble
from processor.batch.trouble import (
    QUOTA_CODE,
    malformed,
    no_list,
    redirect,
    refusal,
    unanswered,
    with_remedy,
)
from processor.codes import CAUSES
from processor.verdict import Fault, TransportFault

QUOTA = (
    "Enqueued token limit reached for gpt-5-mini in organization org-abcdefghijklmnop. "
    "Limit: 900,000 enqueued tokens. Please try again once some in_progress batches have been "
    "completed."
)
AZURE_QUOTA = (
    "The number of enqueued tokens has surpassed the configured limit of 30K for the deployment "
    "'gpt-4.1-batch'. Please either increase the limit or try again once the current jobs have "
    "finished."
)
NO_FILE = "Cannot find file file-XuGapyf5, or project proj_849B36OelpiR does not have access to it."


def error(message: str = "No.", **fields: Any) -> bytes:
    return orjson.dumps({"error": {"message": message, **fields}})


def refused(
    status: int, body: bytes, *, changes: bool = True, headers: dict[str, str] | None = None
) -> RemoteError:
    return refusal(status, headers or {}, body, changes=changes, now_s=0.0)


@pytest.mark.parametrize(
    ("status", "body", "trouble", "code", "in_doubt"),
    [
        (401, error(code="invalid_api_key"), Trouble.FATAL, "auth", False),
        (401, b"", Trouble.FATAL, "auth", False),
        (400, error("Incorrect API key provided"), Trouble.FATAL, "auth", False),
        (402, b"", Trouble.FATAL, "quota_exhausted", False),
        (403, error(), Trouble.FATAL, "forbidden", False),
        (403, b"<html>no</html>", Trouble.FATAL, "forbidden", False),
        (407, b"", Trouble.FATAL, "proxy_auth", False),
        (451, b"", Trouble.FATAL, "forbidden", False),
        (429, error(code="insufficient_quota"), Trouble.FATAL, "quota_exhausted", False),
        (400, error(code="billing_hard_limit_reached"), Trouble.FATAL, "quota_exhausted", False),
        (200, error(code="insufficient_quota"), Trouble.FATAL, "quota_exhausted", True),
        (404, error(code="model_not_found"), Trouble.REFUSED, "model_not_found", False),
        (404, error(code="DeploymentNotFound"), Trouble.REFUSED, "model_not_found", False),
        (404, error(), Trouble.GONE, "not_found", False),
        (404, error("No such File: model-x.jsonl"), Trouble.GONE, "not_found", False),
        (404, b'{"detail":"Not Found"}', Trouble.GONE, "not_found", False),
        (405, b'{"detail":"Method Not Allowed"}', Trouble.GONE, "not_found", False),
        (410, b"", Trouble.GONE, "not_found", False),
        (501, b"", Trouble.GONE, "not_found", False),
        (429, error(code="rate_limit_exceeded"), Trouble.AGAIN, "rate_limited", False),
        (429, error("Limit reached: 10 per day"), Trouble.AGAIN, "daily_limit", False),
        (429, b"", Trouble.AGAIN, "rate_limited", False),
        (408, b"", Trouble.AGAIN, "timeout", True),
        (409, error(), Trouble.AGAIN, "server_error", True),
        (425, b"", Trouble.AGAIN, "server_error", False),
        (500, error(), Trouble.AGAIN, "server_error", True),
        (502, b"<html><title>502</title></html>", Trouble.AGAIN, "server_error", True),
        (503, error("Slow down"), Trouble.AGAIN, "slow_down", True),
        (504, b"", Trouble.AGAIN, "timeout", True),
        (520, b"<html></html>", Trouble.AGAIN, "server_error", True),
        (200, b"<html><title>Log in</title></html>", Trouble.AGAIN, "malformed", True),
        (200, b"", Trouble.AGAIN, "malformed", True),
        (200, b'{"id": "batch_', Trouble.AGAIN, "malformed", True),
        (200, b"null", Trouble.AGAIN, "malformed", True),
        (200, error("Who knows"), Trouble.AGAIN, "malformed", True),
        (400, error(QUOTA), Trouble.QUOTA, QUOTA_CODE, False),
        (429, error(QUOTA), Trouble.QUOTA, QUOTA_CODE, False),
        (429, error("No.", code="token_limit_exceeded"), Trouble.QUOTA, QUOTA_CODE, False),
        (400, error("No.", type="token_limit_exceeded"), Trouble.QUOTA, QUOTA_CODE, False),
        (429, error("Too many enqueued tokens"), Trouble.QUOTA, QUOTA_CODE, False),
        (500, error(QUOTA), Trouble.AGAIN, "server_error", True),
        (400, error(AZURE_QUOTA), Trouble.QUOTA, QUOTA_CODE, False),
        (400, error(NO_FILE, param="file_id"), Trouble.GONE, "not_found", False),
        (400, error("No such File object: file-1"), Trouble.GONE, "not_found", False),
        (400, error("Input file 'file-1' not found."), Trouble.GONE, "not_found", False),
        (422, error("The file file-1 does not exist"), Trouble.GONE, "not_found", False),
        (400, error("Invalid file format. Must be .jsonl"), Trouble.REFUSED, "bad_request", False),
        (400, error(code="invalid_request"), Trouble.REFUSED, "bad_request", False),
        (400, error(code="unknown_parameter"), Trouble.REFUSED, "refused_parameter", False),
        (413, b"", Trouble.REFUSED, "too_large", False),
        (422, b'{"detail": "no window 24h"}', Trouble.REFUSED, "unprocessable", False),
        (418, b"", Trouble.REFUSED, "bad_request", False),
        (302, b"", Trouble.FATAL, "redirect", False),
    ],
)
def test_a_refusal(status: int, body: bytes, trouble: Trouble, code: str, in_doubt: bool) -> None:
    failure = refused(status, body)
    assert (failure.trouble, failure.code) == (trouble, code)
    assert failure.in_doubt is in_doubt
    assert code == QUOTA_CODE or code in CAUSES
    message = str(failure)
    assert message
    assert message.isprintable()


@pytest.mark.parametrize("status", [200, 408, 409, 500, 504])
def test_what_only_asks_leaves_no_doubt(status: int) -> None:
    assert not refused(status, b"", changes=False).in_doubt


def test_the_words_of_a_limit_are_kept() -> None:
    message = str(refused(400, error(QUOTA)))
    assert "for gpt-5-mini in" in message
    assert "Limit: 900,000 enqueued tokens" in message
    assert "abcdefghijklmnop" not in message


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "50"}, 0.05),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:09 GMT"}, 9.0),
        ({"retry-after": "-1"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_how_long_to_wait(status: int, headers: dict[str, str], expected: float | None) -> None:
    assert refused(status, b"", headers=headers).retry_after_s == expected


def test_a_redirect_tells_where_to() -> None:
    failure = refused(301, b"", headers={"location": "https://elsewhere/v1/files?token=x"})
    assert str(failure) == "HTTP status 301, to https://elsewhere/v1/files"
    assert str(redirect(302, "")) == "HTTP status 302, to nowhere"


@pytest.mark.parametrize(
    ("fault", "trouble", "code"),
    [
        (Fault.DNS, Trouble.AGAIN, "dns"),
        (Fault.REFUSED, Trouble.AGAIN, "unreachable"),
        (Fault.RESET, Trouble.AGAIN, "connection"),
        (Fault.TIMEOUT, Trouble.AGAIN, "timeout"),
        (Fault.PROXY, Trouble.AGAIN, "proxy"),
        (Fault.TLS, Trouble.FATAL, "tls"),
        (Fault.PROXY_AUTH, Trouble.FATAL, "proxy_auth"),
        (Fault.REDIRECT, Trouble.FATAL, "redirect"),
    ],
)
@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("changes", [False, True])
def test_no_answer(fault: Fault, trouble: Trouble, code: str, sent: bool, changes: bool) -> None:
    failure = unanswered(TransportFault(fault=fault, sent=sent, detail="x"), changes=changes)
    assert (failure.trouble, failure.code, failure.status) == (trouble, code, None)
    assert failure.in_doubt is (sent and changes)


def test_other_troubles() -> None:
    assert malformed("No id", changes=True).in_doubt
    assert not malformed("No id").in_doubt
    assert no_list("batches").trouble is Trouble.GONE


def wrapped(*errors: Exception) -> Exception:
    """As libraries wrap: the first was raised from the second, and so on."""
    for outer, inner in pairwise(errors):
        outer.__cause__ = inner
    return errors[0]


@pytest.mark.parametrize(
    ("errors", "sent", "proxied", "expected"),
    [
        ([httpx2.ConnectError("no"), ConnectionRefusedError(111, "no")], False, False, "refused"),
        ([httpx2.ConnectError("no"), ConnectionRefusedError(111, "no")], False, True, "proxy"),
        ([httpx2.ConnectError("no"), socket.gaierror(-2, "unknown")], False, False, "dns"),
        ([httpx2.ConnectError("no"), socket.gaierror(-2, "unknown")], False, True, "proxy"),
        ([httpx2.ConnectTimeout("")], False, False, "refused"),
        ([httpx2.ConnectError("no"), ssl.SSLCertVerificationError("self")], False, False, "tls"),
        ([ssl.SSLError("version")], False, False, "tls"),
        ([httpx2.ConnectError("no"), ssl.SSLEOFError("eof")], False, False, "refused"),
        ([httpx2.ProxyError("407 Proxy Authentication Required")], False, True, "proxy_auth"),
        ([httpx2.ProxyError("502 Bad Gateway")], False, True, "proxy"),
        ([httpx2.ReadError("")], True, False, "reset"),
        ([httpx2.WriteError("")], True, False, "reset"),
        ([httpx2.RemoteProtocolError("incomplete")], True, True, "reset"),
        ([httpx2.ReadTimeout("")], True, False, "timeout"),
        ([httpx2.TooManyRedirects("5")], True, False, "redirect"),
    ],
)
def test_what_broke(errors: list[Exception], sent: bool, proxied: bool, expected: str) -> None:
    fault = fault_of(wrapped(*errors), sent=sent, proxied=proxied)
    assert (fault.fault, fault.sent) == (expected, sent)
    assert fault.detail


def test_the_innermost_words_are_told() -> None:
    error = wrapped(httpx2.ConnectError("All failed"), ConnectionRefusedError(111, "refused"))
    fault = fault_of(error, sent=False, proxied=False)
    assert fault.detail == "ConnectionRefusedError: [Errno 111] refused"


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        ("model_not_found: no model 'a'", "model_not_found: no model 'a'. Name another model with"),
        ("invalid_json_line: bad", "invalid_json_line: bad"),
        ("the provider does not say why", "the provider does not say why"),
    ],
)
def test_what_cures_a_batch_that_failed(problem: str, said: str) -> None:
    assert with_remedy(problem).startswith(said)
    assert (with_remedy(problem) == problem) == (problem == said)

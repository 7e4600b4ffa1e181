"""Every code has a cause that people can act on."""

import re

import pytest

from processor.codes import CAUSES, PROVIDER_CODES, Cause, cause_of


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.code)
def test_a_cause_is_two_short_sentences(cause: Cause) -> None:
    for sentence in (cause.means, cause.remedy):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert len(sentence) <= 100
    assert not re.search(r"\b(HTTP|JSON|status \d|4\d\d|5\d\d)\b", cause.means)


def test_codes_are_plain_names_and_their_own_keys() -> None:
    for code, cause in CAUSES.items():
        assert cause.code == code
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)


def test_what_providers_say_leads_to_a_cause() -> None:
    assert set(PROVIDER_CODES.values()) <= CAUSES.keys()
    assert all(name == name.lower() for name in PROVIDER_CODES)


def test_an_unknown_code_has_a_cause_too() -> None:
    assert cause_of("no_such_code").code == "unknown"
    assert cause_of("truncated").code == "truncated"


@pytest.mark.parametrize("code", ["truncated", "context_length", "refused_parameter", "policy"])
def test_a_request_at_fault_is_not_worth_sending_again(code: str) -> None:
    assert not cause_of(code).retryable


@pytest.mark.parametrize("code", ["rate_limited", "timeout", "auth", "quota_exhausted", "invalid"])
def test_a_request_not_at_fault_is(code: str) -> None:
    assert cause_of(code).retryable

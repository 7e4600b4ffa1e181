"""How long answers will be: a table of kinds, caps and experience."""

import pytest

from processor.plan.answers import Usual, expected, thinks


@pytest.mark.parametrize(
    ("kind", "cap", "usual", "tokens", "basis"),
    [
        ("label", None, None, 5, "assumed"),
        ("label", 1_000, None, 5, "assumed"),
        ("label", 1, None, 1, "cap"),
        ("label", None, Usual(7.4, 12), 7, "measured"),
        ("latex", None, None, 50, "assumed"),
        ("latex", 4_000, None, 50, "assumed"),
        ("latex", 20, None, 20, "cap"),
        ("text", None, None, 200, "assumed"),
        ("text", 40, None, 40, "cap"),
        ("text", 900, None, 900, "cap"),
        ("text", 900, Usual(120.0, 1), 120, "measured"),
        ("json", None, None, 200, "assumed"),
        ("embedding", None, None, 0, "nothing"),
        ("embedding", None, Usual(3.0, 9), 0, "nothing"),
    ],
)
def test_the_length(
    kind: str, cap: int | None, usual: Usual | None, tokens: int, basis: str
) -> None:
    found = expected(kind, cap, usual)
    assert (found.tokens, found.basis) == (tokens, basis)


@pytest.mark.parametrize(
    ("kind", "cap", "usual", "words"),
    [
        ("label", None, None, "assumed: 5 a label"),
        ("text", None, None, "assumed: 200 an answer"),
        ("text", 1_500, None, "by their cap of 1,500"),
        ("text", None, Usual(9.0, 1), "measured over 1 answer"),
        ("text", None, Usual(9.0, 2_500), "measured over 2,500 answers"),
    ],
)
def test_the_words(kind: str, cap: int | None, usual: Usual | None, words: str) -> None:
    assert expected(kind, cap, usual).words == words


@pytest.mark.parametrize(
    ("model", "does"),
    [
        ("gpt-5-mini", True),
        ("gpt-6-luna", True),
        ("openai/gpt-5", True),
        ("o3-mini", True),
        ("gpt-4o-mini", False),
        ("gpt-4.1", False),
        ("gpt-oss-20b", False),
        ("olmo", False),
    ],
)
def test_models_that_think_first(model: str, does: bool) -> None:
    assert thinks(model) is does

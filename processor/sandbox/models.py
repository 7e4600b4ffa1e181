"""Which models the sandbox knows, and what they refuse (November 2026)."""

import re

MODELS = (
    "gpt-6-luna",
    "gpt-6-sol",
    "gpt-6-astra",
    "gpt-6.1-sol",
    "gpt-6.1-terra",
    "gpt-5.6-luna",
    "gpt-5.6-sol",
    "gpt-5.6-terra",
    "gpt-5.5",
    "gpt-5.4",
    "gpt-5.4-mini",
    "gpt-5.4-nano",
    "gpt-5.2",
    "gpt-5.2-pro",
    "gpt-5.1",
    "gpt-5",
    "gpt-5-mini",
    "gpt-5-nano",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4o",
    "gpt-4o-mini",
    "o3",
    "text-embedding-3-small",
    "text-embedding-3-large",
    "text-embedding-ada-002",
)

_RETIRED = re.compile(
    r"gpt-3\.5-turbo.*|gpt-4(-.+)?|gpt-4\.1-nano.*|chatgpt-4o-latest|gpt-4o-2024-05-13"
    r"|gpt-4o(-mini)?-(audio|search)-preview.*|gpt-5(\.\d)?-chat-latest|gpt-5\.1-codex"
    r"|codex-mini-latest|o1(-.+)?|o[34]-mini.*"
)
_REASONING = re.compile(r"gpt-([5-9]|\d\d)\b.*|o\d.*")
_SNAPSHOT = re.compile(r"-20\d\d-\d\d-\d\d$")

_EMBEDS = re.compile(r".*embed.*")
_SHORTENS = re.compile(r"(?!text-embedding-ada).*")
_LONG_VECTOR = re.compile(r".*-large")
_LONG_VECTOR_NUMBERS = 3072
_VECTOR_NUMBERS = 1536

_WITHOUT_FLEX = re.compile(r"gpt-4.*")
_SMALL_WINDOW = re.compile(r"gpt-4o.*")
_SMALL_WINDOW_TOKENS = 128_000
_WINDOW_TOKENS = 400_000


def is_known(model: str, known: tuple[str, ...]) -> bool:
    """Whether it is one of the known models, or a dated snapshot of one."""
    return model in known or _SNAPSHOT.sub("", model) in known


def is_retired(model: str) -> bool:
    """Whether the model was shut down by November 2026."""
    return _RETIRED.fullmatch(model) is not None


def is_reasoning(model: str) -> bool:
    """Whether the model reasons (gpt-5 and later, o-series), and so refuses sampling parameters."""
    return _REASONING.fullmatch(model) is not None


def has_flex(model: str) -> bool:
    """Whether the model is served at the flex tier."""
    return _WITHOUT_FLEX.fullmatch(model) is None


def embeds(model: str) -> bool:
    """Whether the model makes vectors of texts, and nothing else."""
    return _EMBEDS.fullmatch(model) is not None


def vector_numbers(model: str) -> int:
    """How many numbers a vector of the model has."""
    return _LONG_VECTOR_NUMBERS if _LONG_VECTOR.fullmatch(model) else _VECTOR_NUMBERS


def shortens(model: str) -> bool:
    """Whether the model makes shorter vectors on request."""
    return _SHORTENS.fullmatch(model) is not None


def window_tokens(model: str) -> int:
    """The model's context length."""
    return _SMALL_WINDOW_TOKENS if _SMALL_WINDOW.fullmatch(model) else _WINDOW_TOKENS

"""What a provider says went wrong: the error inside an answer, cleaned for people."""

import html
import re
from dataclasses import dataclass
from typing import Any

MESSAGE_CHARS = 300
_READ_CHARS = 4_000  # keeps the patterns below cheap on hostile bodies

_KEY = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|nvapi)[-_][\w\-*.…]{3,}"
    r"|\bAIza[\w-]{10,}"
    r"|\b(?:org|proj)[-_]\w{12,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|(?i:(?<=bearer )|(?<=basic )|(?<=api key provided: ))[^\s,;\"']+"
)
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)
_UNSEEN = re.compile(
    r"<(script|style|head)\b.*?(?:</\1\s*>|\Z)|<!--.*?-->", re.IGNORECASE | re.DOTALL
)
# Where pydantic repeats the request, in the text that vLLM makes of its complaints.
_ECHO = re.compile(r"""(?<=[{,] )(['"])input\1: .*""", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderError:
    """An error as a provider words it.

    Attributes:
        code: In lower case; empty when it has none.
        type: In lower case; empty when it has none.
        param: The parameter it is about; empty when it names none.
        message: One line for people; see `clean`.
        status: An HTTP status given inside the error, as gateways do; None otherwise.
    """

    code: str = ""
    type: str = ""
    param: str = ""
    message: str = ""
    status: int | None = None

    @property
    def complaint(self) -> str:
        """Equal for two errors that say the same, whatever numbers they name."""
        words = re.sub(r"\d+", "#", self.message)
        return f"{self.code}|{self.type}|{self.param}|{words}"


def clean(text: str) -> str:
    """One line of at most 300 characters, HTML reduced to its words, keys and accounts masked."""
    text = text[:_READ_CHARS]
    if text.lstrip()[:1] == "<":
        text = _words_of_html(text)
    text = _ECHO.sub("…", text)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    line = mask_keys(" ".join(text.split()))
    return line if len(line) <= MESSAGE_CHARS else line[: MESSAGE_CHARS - 1] + "…"


def mask_keys(text: str) -> str:
    """A text without what looks like a key or an account, and without passwords in addresses."""
    return _KEY.sub("***", text)


def error_in(parsed: Any) -> ProviderError | None:
    """The error in a parsed JSON body, in any of the shapes in use; None when there is none."""
    if isinstance(parsed, list) and parsed:  # Gemini
        parsed = parsed[0]
    if not isinstance(parsed, dict):
        return None
    error = parsed.get("error")
    if isinstance(error, dict):
        return _from_object(error)
    if isinstance(error, str) and error:
        return ProviderError(message=clean(error))
    if "detail" in parsed:  # FastAPI
        return ProviderError(message=clean(_detail(parsed["detail"])))
    if isinstance(parsed.get("message"), str):  # vLLM and many gateways
        return _from_object(parsed)
    return None


def _detail(detail: Any) -> str:
    """FastAPI's complaints about a request, each of which repeats a part of it."""
    if not isinstance(detail, list):
        return str(detail)
    return "; ".join(
        f"{_place(each)}: {each.get('msg')}" if isinstance(each, dict) else str(each)
        for each in detail
    )


def _place(complaint: dict[str, Any]) -> str:
    place = complaint.get("loc")
    return ".".join(map(str, place)) if isinstance(place, list) else str(place)


def _from_object(error: dict[str, Any]) -> ProviderError:
    code = error.get("code")
    return ProviderError(
        code=code.lower() if isinstance(code, str) else "",
        type=_text(error.get("type")).lower(),
        param=_text(error.get("param")),
        message=clean(_text(error.get("message")) or _text(code)),
        status=_status(code),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _status(code: Any) -> int | None:
    """Gateways put the status into `code`, as a number or as digits."""
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code[:4])
    return code if type(code) is int and 400 <= code <= 599 else None


def _words_of_html(text: str) -> str:
    title = _TITLE.search(text)
    if title and title[1].strip():
        return html.unescape(title[1])
    return html.unescape(_TAG.sub(" ", _UNSEEN.sub(" ", text)))

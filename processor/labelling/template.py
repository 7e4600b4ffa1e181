"""A user's own prompt as the template that the engine renders.

Two spellings are read. `{title}` is how a Python program writes it; only names are replaced, so
that nothing in a template can be evaluated. `{{ title }}` and `{% … %}` are Jinja2, which the
engine runs in its sandbox. What decides is whether the text holds either of the latter.
"""

import re
from collections.abc import Sequence

from processor.errors import UsageError

FIELDS = ("title", "source", "date", "text", "topic")
"""What a prompt may name even if the table has no such column; it reads N/A then."""
TEXT = "text"

_JINJA = re.compile(r"\{%|\{\{-?\s*[^\W\d]\w*\s*(?:[|.\[}\-+]|$)")
_JINJA_PART = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_PIECE = re.compile(r"\{\{|\}\}|\{(?P<name>[^\W\d]\w*)(?P<more>[^}\w][^{}]*)?\}")


def is_jinja(template: str) -> bool:
    """Whether a prompt is written for Jinja2."""
    return _JINJA.search(template) is not None


def as_jinja(template: str, columns: Sequence[str]) -> str:
    """A prompt as Jinja2 has it.

    Args:
        template: As the user wrote it.
        columns: Of the table.

    Raises:
        UsageError: It names what is neither a column nor one of `FIELDS`, or does not name the
            text at all.
    """
    if not template.strip():
        raise UsageError("--prompt: 프롬프트가 비어 있습니다")
    if is_jinja(template):
        _check_jinja(template, columns)
        return template
    names: set[str] = set()
    parts: list[str] = []
    end = 0
    for found in _PIECE.finditer(template):
        parts.append(_literal(template[end : found.start()]))
        end = found.end()
        parts.append(_piece(found, columns, names))
    parts.append(_literal(template[end:]))
    if TEXT not in names:
        raise _without_text()
    return "".join(parts)


def _check_jinja(template: str, columns: Sequence[str]) -> None:
    """See that a prompt for Jinja2 uses the text, and the other spelling nowhere."""
    for found in _PIECE.finditer(_JINJA_PART.sub("", template)):
        if found["name"] in FIELDS or found["name"] in columns:
            raise UsageError(
                f"--prompt: {found[0]} 와 Jinja2 표기가 섞여 있습니다",
                way_out=f"{{{{ {found['name']} }}}} 로 쓰거나, 다른 곳의 {{{{ }}}} 를 {{ }} 로 "
                "바꾸세요.",
            )
    if not any(re.search(r"\btext\b", part) for part in _JINJA_PART.findall(template)):
        raise _without_text()


def _piece(found: "re.Match[str]", columns: Sequence[str], names: set[str]) -> str:
    name = found["name"]
    if name is None:  # doubled braces stand for one
        return _literal(found[0][0])
    if found["more"] is not None:
        raise UsageError(
            f"--prompt: {found[0]} 는 쓸 수 없습니다",
            way_out=f"열 이름만 쓰세요: {{{name}}}. 조건이나 필터는 Jinja2 로 쓰세요.",
        )
    if name not in FIELDS and name not in columns:
        raise UsageError(
            f"--prompt: {{{name}}} 이라는 열이 없습니다",
            way_out=f"쓸 수 있는 이름: {', '.join(dict.fromkeys((*FIELDS, *columns)))}. "
            "중괄호 자체는 {{ 와 }} 로 쓰세요.",
        )
    names.add(name)
    if name == TEXT:
        return "{{ text }}"
    return f"{{{{ {name} | default('N/A', true) }}}}"


def _literal(text: str) -> str:
    return f"{{% raw %}}{text}{{% endraw %}}" if "{" in text or "}" in text else text


def _without_text() -> UsageError:
    return UsageError(
        "--prompt: 본문이 들어갈 {text} 가 없습니다",
        way_out="본문이 들어갈 자리에 {text} 를 쓰세요.",
    )

"""A user's own prompt, in both spellings."""

import pytest
from hypothesis import given, strategies as st

from processor.errors import UsageError
from processor.labelling.template import as_jinja, is_jinja
from processor.tasks.template import Template

COLUMNS = ("text", "title", "기자", "id")
ROW = {"text": "본문", "title": "", "기자": "김", "id": "7"}


def rendered(prompt: str) -> str:
    return Template(as_jinja(prompt, COLUMNS), where="--prompt").render(ROW)


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        ("{text}", "본문"),
        ("제목: {title}\n{text}", "제목: N/A\n본문"),
        ("{source}/{date}/{topic}: {text}", "N/A/N/A/N/A: 본문"),
        ("{기자} {id}: {text}", "김 7: 본문"),
        ('{text}\n{{"label": 0}}', '본문\n{"label": 0}'),
        ("{text} { 1, 2 } {} {0}", "본문 { 1, 2 } {} {0}"),
        ("{text} {# kein Kommentar #}", "본문 {# kein Kommentar #}"),
        ("{{text}}: {{ title | default('없음', true) }}", "본문: 없음"),
        ("{% if title %}{{ title }}{% endif %}{{ text }}", "본문"),
        ("{text}{text}", "본문본문"),
    ],
)
def test_both_spellings_are_read(prompt: str, wanted: str) -> None:
    assert rendered(prompt) == wanted


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("", "비어"),
        ("{title}", "{text}"),
        ("{{ title }}", "{text}"),
        ("{text} {autor}", "{autor}"),
        ("{text.__class__}", "{text}"),
        ("{text!r}", "{text!r}"),
        ("{text} {title:>10}", "{title:>10}"),
        ("{text} {title[0]}", "{title[0]}"),
        # A mixture would send names where texts are meant.
        ("{{ title }}: {text}", "{text}"),
        ("{% if title %}{title}{% endif %}{{ text }}", "{title}"),
        ("{{ text }} {기자}", "{기자}"),
        ("text: {{ title }}", "{text}"),
    ],
)
def test_what_cannot_be_meant_is_refused(prompt: str, said: str) -> None:
    with pytest.raises(UsageError, match="--prompt") as refused:
        as_jinja(prompt, COLUMNS)
    assert said in str(refused.value)


@given(st.text(st.sampled_from("ab {}%#'\n가"), max_size=30))
def test_text_beside_the_name_stays_as_it_is(beside: str) -> None:
    prompt = beside.replace("{", "{{").replace("}", "}}") + "\n{text}"
    if not is_jinja(prompt):
        assert rendered(prompt) == beside + "\n본문"

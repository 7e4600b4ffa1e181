"""Which fields a prompt needs, and what it refuses."""

import pytest

from processor.errors import TaskError
from processor.tasks.template import Template


def template(source: str) -> Template:
    return Template(source, where="my.toml: prompt")


@pytest.mark.parametrize(
    ("source", "required"),
    [
        ("plain", ()),
        ("{{ b }} {{ a }}", ("a", "b")),
        ("{{ a | default('N/A') }}", ()),
        ("{{ a | d('N/A', true) | upper }}", ()),
        ("{{ a | upper | default('N/A') }}", ("a",)),
        ("{{ a.name | default('N/A') }}", ("a",)),
        ("{{ a | default(b) }}", ("b",)),
        ("{{ a | default('x') }} {{ a }}", ("a",)),
        ("{% if a is defined %}{{ a }}{% endif %}", ()),
        ("{% if a is defined and a > 1 %}{{ a }}{% else %}{{ b }}{% endif %}", ("b",)),
        ("{% if a is defined %}x{% else %}{{ a }}{% endif %}", ("a",)),
        ("{% if a is defined or b %}{{ a }}{% endif %}", ("a", "b")),
        ("{% if c %}x{% elif a is defined %}{{ a }}{% endif %}", ("c",)),
        ("{{ a if a is defined else 'none' }}", ()),
        ("{{ a if b else c | default('') }}", ("a", "b")),
        ("{% if a %}{{ a }}{% endif %}", ("a",)),
        ("{% set t = a %}{{ t }}", ("a",)),
        ("{% for x in xs %}{{ x }}{{ loop.index }}{% endfor %}", ("xs",)),
        ("{{ range(n) | join }}", ("n",)),
    ],
)
def test_required_fields(source: str, required: tuple[str, ...]) -> None:
    assert template(source).required == required


@pytest.mark.parametrize(
    ("source", "fields", "said"),
    [
        ("{{ a }}", {}, "the row has no a"),
        ("{{ a }}", {"a": None}, "the row has no a"),
        ("{{ a.b }}", {"a": {}}, "cannot be written for this row"),
        ("{{ 1 / a }}", {"a": 0}, "cannot be written for this row"),
        ("{{ a + 1 }}", {"a": "x"}, "cannot be written for this row"),
        ("{{ a['k'] }}", {"a": [1]}, "cannot be written for this row"),
        ("{{ a.__class__.__mro__ }}", {"a": "x"}, "cannot be written for this row"),
        ("{{ range(10 ** 9) | list | length + a }}", {"a": 1}, "cannot be written for this row"),
        ("{% include a %}", {"a": "/etc/passwd"}, "cannot be written for this row"),
        (
            "{% macro all(x) %}{{ all(x) }}{% endmacro %}{{ all(a) }}",
            {"a": 1},
            "cannot be written for this row: maximum recursion depth",
        ),
        ("{{ a.items }}", {"a": {"items": [1]}}, r"items is a function; .* is got by \['items'\]"),
        ("{{ a.title }}", {"a": "x"}, "title is a function"),
        ("{{ lipsum }} {{ a }}", {"a": "x"}, "is a function"),
        ("{{ 'x' * a }}", {"a": 10**11}, "more than 10,000,000"),
        ("{{ a * [0] }}", {"a": 10**11}, "more than 10,000,000"),
        ("{{ 'x' * 10 ** 11 }}{{ a }}", {"a": 1}, "more than 10,000,000"),
        ("{{ 9 ** a }}", {"a": 10**9}, "more than 10,000"),
    ],
)
def test_a_row_that_does_not_fit(source: str, fields: dict[str, object], said: str) -> None:
    with pytest.raises(TaskError, match=said):
        template(source).render(fields)


def test_products_and_powers_of_a_fair_size() -> None:
    source = "{{ '-' * a }} {{ 2.5 * a }} {{ [0] * a }} {{ a ** 2 }} {{ a ** -1 }} {{ 2 * 3 }}"
    assert template(source).render({"a": 2}) == "-- 5.0 [0, 0] 4 0.5 6"


def test_optional_fields_may_be_missing_or_null() -> None:
    prompt = template("{{ a | default('N/A', true) }}")
    assert [prompt.render(f) for f in ({}, {"a": None}, {"a": ""}, {"a": "x"})] == [
        "N/A",
        "N/A",
        "N/A",
        "x",
    ]


def test_markup_stays_markup() -> None:
    assert template("{{ a }}\n").render({"a": "<mi>&lt;</mi>"}) == "<mi>&lt;</mi>\n"


def test_a_field_may_have_the_name_of_a_jinja_global() -> None:
    assert template("{{ range }}").render({"range": "1-9"}) == "1-9"


@pytest.mark.parametrize("source", ["ok\n{{ a ", "ok\n{% if %}", "ok\n{{ a | nofilter }}"])
def test_bad_syntax_names_the_line(source: str) -> None:
    with pytest.raises(TaskError, match=r"^my\.toml: prompt: line 2: "):
        template(source)

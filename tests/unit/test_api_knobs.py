"""The keywords of `Processor` are the settings: the same names, the same types, no more."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from pathlib import Path
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import SecretStr

from processor.api.knobs import Knobs
from processor.api.options import Options
from processor.settings import Settings

# What a program may give besides the type that a setting has in the end.
CONVENIENT: Mapping[str, tuple[Any, Any]] = {
    "headers": (Mapping[str, str], {"X-Team": "blue"}),
    "logs": (str | Path, "there"),
    "notify": (str | Sequence[str], "json://one.example mailto://two.example"),
    "notify_on": (str | Sequence[str], "done,late"),
    "only": (
        Mapping[str, str | float | Sequence[str | float]],
        {"subject": "algebra", "grade": [7, 8.5]},
    ),
    "price": (str | tuple[float, float, float], "0.1,0.5"),
}


def bare(kind: Any) -> Any:
    """A type without None, bounds and what hides secrets: nothing of that is given."""
    arguments = get_args(kind)
    if get_origin(kind) is Annotated:
        return bare(arguments[0])
    if get_origin(kind) in (Union, UnionType):
        return reduce(or_, (bare(each) for each in arguments if each is not NoneType))
    if get_origin(kind) is tuple:
        return GenericAlias(tuple, tuple(bare(each) for each in arguments))
    return str if kind is SecretStr else kind


def test_names_and_types_are_those_of_the_settings() -> None:
    expected = {
        name: CONVENIENT[name][0] if name in CONVENIENT else bare(field.annotation)
        for name, field in Settings.model_fields.items()
    }
    assert get_type_hints(Knobs) == {"profile": str, **expected}
    assert not Knobs.__required_keys__


@pytest.mark.parametrize("name", CONVENIENT)
def test_what_is_convenient_is_understood(name: str) -> None:
    assert getattr(Settings.of({name: CONVENIENT[name][1]}), name)


def test_several_values_of_a_column_are_told_one_after_the_other() -> None:
    wanted = Settings.of({"only": {"subject": "algebra", "grade": [7, 8.5]}}).only
    assert wanted == (("subject", "algebra"), ("grade", "7"), ("grade", "8.5"))


def test_no_keyword_means_two_things() -> None:
    assert not set(Options.__annotations__) & set(Knobs.__annotations__)
    assert not Options.__required_keys__

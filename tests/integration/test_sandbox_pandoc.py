"""The converter, when pandoc is not as it should be."""

import asyncio
import shutil
from pathlib import Path

import pytest

from processor.sandbox.pandoc import Converter, ConverterError, find_pandoc

X = "<math><mi>x</mi></math>"
SQUARE = "<math><msup><mi>x</mi><mn>2</mn></msup></math>"


def convert(converter: Converter, *expressions: str) -> list[str | BaseException]:
    async def main() -> list[str | BaseException]:
        try:
            return await asyncio.gather(
                *map(converter.convert, expressions), return_exceptions=True
            )
        finally:
            await converter.close()

    return asyncio.run(main())


def test_many_at_once_come_back_in_their_places() -> None:
    expressions = [f"<math><mn>{number}</mn></math>" for number in range(500)]
    assert convert(Converter(), *expressions) == [str(number) for number in range(500)]


def test_without_pandoc_it_names_the_way_out() -> None:
    (error,) = convert(Converter(find=lambda: None), X)
    assert isinstance(error, ConverterError)
    assert "pip install 'request-processor[sandbox]'" in str(error)


def test_a_pandoc_that_ends_fails_who_waits() -> None:
    errors = convert(Converter(find=lambda: shutil.which("false")), X, SQUARE)
    assert [str(error) for error in errors] == ["pandoc ended", "pandoc ended"]


def test_it_starts_again_after_its_end() -> None:
    paths = iter([shutil.which("false"), find_pandoc()])

    async def main() -> None:
        converter = Converter(find=lambda: next(paths))
        with pytest.raises(ConverterError, match="ended"):
            await converter.convert(X)
        assert await converter.convert(SQUARE) == "x^{2}"
        await converter.close()

    asyncio.run(main())


def test_one_unreadable_expression_is_not_its_neighbours_trouble(tmp_path: Path) -> None:
    """A stand-in that answers null, and then as pandoc would."""
    script = tmp_path / "pandoc"
    script.write_text("#!/bin/sh\nread a; echo null\nread b; echo '\"y\"'\nread c\n")
    script.chmod(0o755)
    error, answer = convert(Converter(find=lambda: str(script)), X, SQUARE)
    assert str(error) == "pandoc cannot read this expression"
    assert answer == "y"

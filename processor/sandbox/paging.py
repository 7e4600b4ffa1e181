"""Pages of a list, as OpenAI's clients ask for them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from processor.sandbox import errors
from processor.sandbox.parameters import one_of

_check_order = one_of("asc", "desc")


class Page(NamedTuple):
    """Which part of a list is wanted.

    Attributes:
        after: The id behind which it begins; None for the beginning.
        limit: Of its length.
        descending: Newest first.
    """

    after: str | None
    limit: int
    descending: bool


def read_page(query: Mapping[str, str], *, most: int, default: int, order: str = "desc") -> Page:
    """The page that a query asks for.

    Args:
        query: Of the request.
        most: That may be asked for.
        default: Of the limit.
        order: The default: `asc` or `desc`, by creation.

    Raises:
        ApiError: A value cannot be.
    """
    limit, order = query.get("limit", str(default)), query.get("order", order)
    if not limit.removeprefix("-").isdecimal():
        raise errors.invalid_type("limit", "an integer", limit)
    if not 1 <= int(limit) <= most:
        raise errors.out_of_range("limit", int(limit), least=1, most=most)
    _check_order("order", order)
    return Page(query.get("after"), int(limit), order == "desc")


def as_list(told: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    """The list object.

    Args:
        told: The objects, each with its `id`; one more than the limit when there are more.
        limit: Of the page.
    """
    data = told[:limit]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": len(told) > limit,
    }

"""Whole responses that are not the answer."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import orjson
from aiohttp import web

from processor.sandbox.clock import Clock
from processor.sandbox.errors import error_body
from processor.sandbox.faults.hit import Hit, Reader, status
from processor.sandbox.faults.places import CALL, LINE, OPERATIONS

_DATE = re.compile(r"date([+-]\d+)?")


def header_values(headers: Mapping[str, str], clock: Clock) -> dict[str, str]:
    """Headers as given; `date+2` becomes the HTTP date two seconds from now."""
    told: dict[str, str] = {}
    for name, value in headers.items():
        date = _DATE.fullmatch(value)
        told[name] = formatdate(clock.time() + int(date[1] or 0), usegmt=True) if date else value
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReply:
    """An error status with OpenAI's error object, or with any body.

    Attributes:
        status: HTTP status, unless the fault names another.
        fields: Of the error object, unless the fault names others.
        page: The title of an HTML page to send instead of the object.
        headers: Sent unless the fault gives others.
    """

    status: int
    fields: Mapping[str, str] = field(default_factory=dict)
    page: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    paid: bool = False
    whole: bool = True
    places: tuple[str, ...] = (CALL, LINE, *OPERATIONS)
    params: Mapping[str, Reader] = field(
        default_factory=lambda: {
            "status": status,
            "body": str,
            "content_type": str,
            "message": str,
            "type": str,
            "code": str,
            "param": str,
        }
    )

    async def respond(self, hit: Hit) -> web.StreamResponse:
        """The error."""
        code, body, content_type = self.told(hit.params)
        return web.Response(
            status=code,
            body=body,
            headers={
                "content-type": hit.params.get("content_type", content_type),
                **self.headers,
                **header_values(hit.headers, hit.clock),
            },
        )

    def told(self, params: Mapping[str, str]) -> tuple[int, bytes, str]:
        """Status, body and content type."""
        return (status(params.get("status", str(self.status))), *self._body(params))

    def _body(self, params: Mapping[str, str]) -> tuple[bytes, str]:
        if "body" in params:
            return params["body"].encode(), "application/json"
        if self.page:
            return html_page(self.page), "text/html; charset=UTF-8"
        named = {key: params[key] for key in ("type", "code", "param") if key in params}
        told = {"message": "An injected fault.", **self.fields, **named}
        told["message"] = params.get("message", told["message"])
        return error_body(**told), "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """A good answer, changed.

    Attributes:
        changes: How, by the answer's `object`; others stay good.
    """

    changes: Mapping[str, Callable[[dict[str, Any], Mapping[str, str]], None]]
    params: Mapping[str, Reader] = field(default_factory=dict)
    paid: bool = True
    whole: bool = True
    places: tuple[str, ...] = (CALL, LINE)

    def spoil(self, completion: dict[str, Any], params: Mapping[str, str]) -> None:
        """Change a good answer."""
        change = self.changes.get(completion["object"])
        if change is not None:
            change(completion, params)

    async def respond(self, hit: Hit) -> web.StreamResponse:
        """The changed answer, with status 200."""
        self.spoil(hit.completion, hit.params)
        return web.Response(
            body=orjson.dumps(hit.completion),
            content_type="application/json",
            headers=header_values(hit.headers, hit.clock),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Garbled:
    """A 200 whose bytes are no answer.

    Attributes:
        make: From the bytes of the good answer to those that are sent.
    """

    make: Callable[[bytes], bytes]
    content_type: str = "application/json"
    paid: bool = False
    whole: bool = True
    places: tuple[str, ...] = (CALL, *OPERATIONS)
    params: Mapping[str, Reader] = field(default_factory=dict)

    async def respond(self, hit: Hit) -> web.StreamResponse:
        """The bytes, with status 200."""
        return web.Response(
            body=self.make(hit.sent),
            content_type=self.content_type,
            headers=header_values(hit.headers, hit.clock),
        )


def html_page(title: str) -> bytes:
    """A page as a proxy sends it: longer than anybody wants in a log."""
    filler = "<p>The web server reported an error. Please try again in a few minutes.</p>\n" * 40
    return (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n"
        f"<body><h1>{title}</h1>\n{filler}</body></html>\n"
    ).encode()

"""An upload: a form that is read as a stream, its file straight to the disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import orjson
from aiohttp import BodyPartReader, web

from processor.sandbox import errors, parameters
from processor.sandbox.config import SandboxConfig
from processor.sandbox.files import refusals

# Of every upload; those of the Batch API have a limit of their own.
MOST_BYTES = 512 * 1000 * 1000
DAY_S = 86_400
LEAST_LIFE_S, MOST_LIFE_S = 3_600, 30 * DAY_S
PURPOSES = ("assistants", "batch", "evals", "fine-tune", "user_data", "vision")
_BLOCK_BYTES = 256 * 1024
_FIELD_BYTES = 1024
_check_purpose = parameters.one_of(*PURPOSES)
_check_life = parameters.integer(LEAST_LIFE_S, MOST_LIFE_S)
_check_anchor = parameters.one_of("created_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A whole upload.

    Attributes:
        name: Of the file; without any folders that it came with.
        life_s: Seconds until it is deleted by itself; None for never.
    """

    name: str
    purpose: str
    bytes: int
    life_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a form holds.

    Attributes:
        fields: All but the file.
        name: Of the file; None when there is none.
        bytes: Of the file.
        path: Where its content is.
    """

    fields: Mapping[str, str]
    name: str | None
    bytes: int
    path: Path


async def read_form(request: web.Request, path: Path) -> Form:
    """The parts of a form.

    Args:
        request: Whose body it is.
        path: Where the content of its file goes; what lies there is the caller's to delete.

    Raises:
        ApiError: It is no form, is torn, or has too long a part.
    """
    if request.content_type != "multipart/form-data":
        raise refusals.no_form(request.content_type)
    fields: dict[str, str] = {}
    name, size = None, 0
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise refusals.torn_form()
            if part.name == "file" and part.filename is not None:
                name = part.filename
                with path.open("wb") as file:
                    size = await _save(part, file)
            else:
                fields[part.name] = (await _limited(part)).decode()
    except ValueError as error:
        raise refusals.torn_form() from error
    return Form(fields=fields, name=name, bytes=size, path=path)


async def _save(part: BodyPartReader, file: BinaryIO) -> int:
    size = 0
    while block := await part.read_chunk(_BLOCK_BYTES):
        size += len(block)
        if size > MOST_BYTES:
            raise errors.too_large(MOST_BYTES)
        file.write(block)
    return size


async def _limited(part: BodyPartReader) -> bytes:
    content = b""
    while block := await part.read_chunk(_FIELD_BYTES):
        content += block
        if len(content) > _FIELD_BYTES:
            raise refusals.torn_form()
    return content


def check_upload(form: Form, config: SandboxConfig) -> Upload:
    """What is uploaded by a form.

    Raises:
        ApiError: Something is missing, or cannot be.
    """
    for name, given in (("file", form.name), ("purpose", form.fields.get("purpose"))):
        if given is None:
            raise refusals.missing_property(name)
    purpose = form.fields["purpose"]
    _check_purpose("purpose", purpose)
    name = PurePosixPath(str(form.name).replace("\\", "/")).name
    if purpose == "batch":
        _check_batch_input(name, form, config)
    return Upload(
        name=name, purpose=purpose, bytes=form.bytes, life_s=_life_s(form.fields, purpose)
    )


def _check_batch_input(name: str, form: Form, config: SandboxConfig) -> None:
    if form.bytes > config.batch_file_bytes:
        raise errors.too_large(config.batch_file_bytes)
    if not name.endswith(".jsonl"):
        raise refusals.no_jsonl()
    with form.path.open("rb") as file:
        first = file.readline(config.max_body_bytes)
    if len(first) < config.max_body_bytes and not _is_json(first):
        raise refusals.no_jsonl()


def _is_json(raw: bytes) -> bool:
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError:
        return False
    return True


def _life_s(fields: Mapping[str, str], purpose: str) -> int | None:
    anchor, seconds = (fields.get(f"expires_after[{name}]") for name in ("anchor", "seconds"))
    if anchor is None and seconds is None:
        return MOST_LIFE_S if purpose == "batch" else None
    for name, given in (("anchor", anchor), ("seconds", seconds)):
        if given is None:
            raise errors.missing_parameter(f"expires_after.{name}")
    _check_anchor("expires_after.anchor", anchor)
    assert seconds is not None
    if not seconds.isdecimal():
        raise errors.invalid_type("expires_after.seconds", "an integer", seconds)
    _check_life("expires_after.seconds", int(seconds))
    return int(seconds)

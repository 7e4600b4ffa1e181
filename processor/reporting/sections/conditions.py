"""How it was run: command, settings, what it used of the machine, and with which versions."""

from collections.abc import Iterator
from typing import Any

from processor.console.words import counted
from processor.reporting import figures
from processor.reporting.document import Block, Code, Command, Figure, Line, Pairs, Section
from processor.reporting.gathering import Findings
from processor.settings import SECRETS, Settings

# What the account is, or what stands in rows.
_HIDDEN = SECRETS | {"account", "organization", "project"}
_CONTENT = frozenset({"only", "urgent_field", "description", "logs", "base_url"})


def section(found: Findings) -> Section:
    """Always there."""
    blocks: list[Block] = []
    if found.content and found.shot.command:
        blocks.append(Command(found.shot.command))
    blocks.append(Pairs([*_what(found), *_used(found), ("report by", _versions(found))]))
    return Section("run", "How it was run", blocks)


def _what(found: Findings) -> Iterator[tuple[str, Line]]:
    shot = found.shot
    yield "task", (shot.task,)
    yield "model", (shot.model,)
    yield "provider", (shot.provider,)
    changed = list(_changed(found))
    if changed:
        line: list[Any] = []
        for name, value in changed:
            line += [", "] if line else []
            line += [Code(f"{name} = {value}")]
        yield "settings", line
    else:
        yield "settings", ("all by default",)
    yield "starts", (figures.count("starts", len(found.starts)),)
    yield "run", (Code(shot.run_id),)


def _changed(found: Findings) -> Iterator[tuple[str, str]]:
    """Settings that are not as they are by default."""
    hidden = _HIDDEN if found.content else _HIDDEN | _CONTENT
    for name, field in Settings.model_fields.items():
        value = found.settings.get(name)
        if name in hidden or value in (None, "", [], ()) or name == "provider":
            continue
        if name == "base_url" and found.shot.provider == "sandbox":
            continue  # where it happened to listen
        default = field.default
        if value != default and _words(value) != _words(default):
            yield name, _words(value)


def _words(value: Any) -> str:
    """A setting as the ledger keeps it, or as its class has it."""
    if isinstance(value, (list, tuple)):
        pairs = ("=".join(map(str, one)) if isinstance(one, list) else str(one) for one in value)
        return ", ".join(pairs)
    return str(value)


def _used(found: Findings) -> Iterator[tuple[str, Line]]:
    shot = found.shot
    memory = Figure("peak_rss_mb", shot.peak_rss_mb, f"{shot.peak_rss_mb:,.0f} MB")
    yield "machine", (figures.seconds("cpu_s", shot.cpu_s), " of CPU, ", memory, " at most")
    sent = figures.size("bytes_sent", shot.bytes_sent)
    received = figures.size("bytes_received", shot.bytes_received)
    yield "network", (sent, " sent, ", received, " received")
    if shot.chunks:
        size = found.settings.get("chunk_size")
        each = f" of up to {counted(size, 'item')}" if size else ""
        yield "chunks", (figures.count("chunks", shot.chunks), each)
    if shot.stages_s:
        line: Line = ()
        for name, value in shot.stages_s.items():
            stage = figures.seconds(f"stages_s.{name}", value)
            line = (*line, ", " if line else "", f"{name} ", stage)
        yield "stages", line


def _versions(found: Findings) -> Line:
    made = found.made
    return (f"processor {made.version}, Python {made.python}, {made.machine}",)

"""The rules of who may import whom, read from the source."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

import processor

PACKAGE = Path(processor.__file__).parent

BASE = {
    "clock",
    "codes",
    "columns",
    "errors",
    "items",
    "jsontext",
    "loop",
    "machine",
    "notice",
    "provider_error",
    "stop",
}

# Room to the rooms that it may import, besides itself.
ALLOWED = {
    "__init__": {"api", "errors", "items"},
    "api": {
        *("batch", "clock", "codes", "columns", "completion", "configuration", "console", "data"),
        *("delivery", "direct", "environment", "errors", "exports", "folders", "identity"),
        *("items", "jobs", "jsoncells", "layers", "ledger", "logs", "loop", "notice", "observer"),
        *("notifying", "opened", "outputs", "packing", "postgres", "provider_error", "quality"),
        "recipe",
        *("report", "run", "sandbox_process", "sending", "setting_names", "settings", "stop"),
        *("tasks", "verdict", "watch"),
    },
    "access": set[str](),
    "addressee": set[str](),
    "answer": {"codes", "items", "provider_error", "verdict"},
    "arrow": {"columns"},
    "batch": {
        *("access", "answer", "clock", "codes", "completion", "disk", "errors", "headers"),
        *("items", "ledger", "notice", "plan", "provider_error", "proxy", "stop", "tasks"),
        "usual_chat",
        "verdict",
    },
    "batch_messages": {"notice"},
    "clock": set[str](),
    "codes": set[str](),
    "columns": set[str](),
    "configuration": {
        *("access", "console", "environment", "errors", "layers", "profiles"),
        *("setting_names", "settings"),
    },
    "console": {"errors", "ledger", "notice", "plan", "watch"},
    "environment": {"console", "errors", "layers"},
    "errors": set[str](),
    "extras": {"errors"},
    "folders": {"data", "errors", "exports", "ledger"},
    "items": set[str](),
    "jsoncells": {"columns", "jsontext"},
    "jsontext": set[str](),
    "labels": set[str](),
    "logs": {
        *("answer", "batch_messages", "codes", "console", "errors", "items", "jsontext", "ledger"),
        "notice",
    },
    "loop": set[str](),
    "machine": set[str](),
    "notice": set[str](),
    "outputs": {"errors", "exports", "extras", "postgres"},
    "packing": set[str](),
    "provider_error": {"codes"},
    "proxy": {"access"},
    "completion": {"items", "provider_error"},
    "disk": {"errors"},
    "drawing": set[str](),
    "doctor": {
        *("access", "clock", "codes", "completion", "direct", "errors", "exports", "extras"),
        *("inventory", "headers", "jsontext", "layers", "ledger", "postgres", "provider_error"),
        *("proxy", "settings", "tasks", "verdict", "watch"),
    },
    "headers": {"verdict"},
    "inventory": {"layers", "postgres", "setting_names", "settings"},
    "jobs": {"batch", "clock", "codes", "errors", "ledger"},
    "layers": {"access", "errors"},
    "profiles": {"access", "addressee", "errors", "layers", "setting_names", "settings"},
    "setting_names": set[str](),
    "setting_values": {"addressee"},
    "settings": {"access", "addressee", "errors", "occasion", "setting_names", "setting_values"},
    "stop": set[str](),
    "usual_chat": {"completion"},
    "verdict": {"codes", "completion", "items", "provider_error", "usual_chat"},
    "tasks": {"errors", "items", "jsontext", "labels"},
    "data": {
        *("arrow", "columns", "errors", "extras", "items", "jsoncells", "jsontext", "packing"),
        "postgres",
    },
    "plan": {"errors", "items"},
    "postgres": {"columns", "errors", "jsoncells", "jsontext"},
    "ledger": {"columns", "data", "errors", "items", "jsontext"},
    "direct": {
        *("access", "answer", "clock", "codes", "completion", "errors", "headers", "items"),
        *("notice", "plan", "provider_error", "proxy", "stop", "tasks", "verdict"),
    },
    "watch": {"codes", "errors", "items", "jsontext", "ledger", "plan"},
    "exports": {
        *("arrow", "columns", "errors", "extras", "items", "jsoncells", "jsontext", "labels"),
        *("ledger", "packing", "postgres", "watch"),
    },
    "followup": {"clock", "errors", "exports", "ledger", "notice", "observer", "watch"},
    "delivery": {"errors", "exports", "notice"},
    "identity": {"errors", "jsontext", "ledger", "tasks"},
    "importing": {
        *("data", "errors", "exports", "items", "ledger", "notice", "patience"),
        *("settings", "tasks"),
    },
    "notifying": {
        *("addressee", "codes", "console", "errors", "exports", "extras", "ledger", "notice"),
        *("observer", "occasion", "plan", "report", "reporting", "settings", "watch"),
    },
    "observer": {"ledger", "notice"},
    "occasion": set[str](),
    "opened": {
        *("clock", "configuration", "exports", "folders", "jobs", "layers", "ledger", "observer"),
        *("recipe", "run", "sandbox_process", "sending", "settings", "tasks"),
    },
    "quality": {"errors", "exports", "jsontext", "labels", "ledger", "tasks"},
    "patience": {"errors"},
    "recipe": {"errors", "jsontext", "layers", "ledger", "settings", "tasks"},
    "report": {"codes", "delivery", "errors", "ledger", "plan", "stop", "watch"},
    "reporting": {
        *("codes", "console", "drawing", "errors", "exports", "jsontext", "ledger", "plan"),
        *("quality", "settings", "tasks", "watch"),
    },
    "sending": {
        *BASE,
        *("answer", "batch", "direct", "followup", "history", "ledger", "observer", "plan"),
        *("settings", "spending", "tasks"),
    },
    "rehearsal": {
        *("data", "direct", "due", "errors", "exports", "fitness", "identity", "importing"),
        *("items", "ledger", "notice", "plan", "routing", "sending", "settings", "sizing"),
        *("spending", "tasks", "watch"),
    },
    "fitness": {
        *("completion", "errors", "items", "ledger", "plan", "settings", "spending", "tasks"),
        "urgency",
    },
    "routing": {
        *("errors", "experience", "folders", "history", "ledger", "notice", "plan", "sending"),
        *("settings", "sizing", "spending", "stop", "tasks", "urgency", "watch"),
    },
    "experience": {"errors", "plan", "recipe", "settings", "sizing", "watch"},
    "planning": {
        *("experience", "folders", "ledger", "plan", "rehearsal", "routing", "settings"),
        "tasks",
    },
    "sizing": {"direct", "items", "ledger", "plan", "tasks", "watch"},
    "urgency": set[str](),
    "web": {
        *("codes", "console", "errors", "exports", "folders", "jsontext", "ledger", "tasks"),
        "watch",
    },
    "due": {"errors", "jsontext", "ledger", "plan"},
    "history": {"jsontext", "plan"},
    "spending": {"direct", "items", "ledger", "plan", "settings", "tasks"},
    "run": {
        *BASE,
        *("batch", "data", "delivery", "due", "exports", "fitness", "identity", "importing"),
        *("ledger", "observer"),
        *("plan", "recipe", "report", "routing", "sending", "settings", "spending", "stop"),
        *("tasks", "watch"),
    },
    "labelling": {
        *("batch", "clock", "codes", "columns", "configuration", "console", "data", "disk"),
        *("errors", "exports", "folders", "items", "jobs", "jsontext", "ledger", "logs", "loop"),
        *("notice", "notifying", "observer", "opened", "plan", "quality", "recipe", "report"),
        *("run", "sandbox_process", "sending", "settings", "signals", "spending", "stop"),
        *("tasks", "watch"),
    },
    "compare": {
        *("batch", "clock", "columns", "data", "drawing", "errors", "exports", "folders"),
        *("identity", "items", "jsontext", "ledger", "logs", "loop", "observer", "plan"),
        *("rehearsal", "report", "run", "sending", "settings", "sizing", "spending", "tasks"),
        "watch",
    },
    "sandbox": set[str](),
    "sandbox_process": {"errors"},
    "signals": {"console", "report"},
    "__main__": {"cli"},
}

# Third-party package to the only modules that may import it.
SOLE_IMPORTERS = {
    "apprise": {"notifying.apprise"},
    "asyncio_throttle": {"direct.traffic"},
    "click": {"cli", "labelling.command", "labelling.submitting"},
    "dotenv": {"environment"},
    "filelock": {"ledger.lock"},
    "genai_prices": {"plan.prices"},
    "jinja2": {"tasks"},
    "math_core": {"tasks"},
    "openai": {"batch.remote"},
    "httpx2": {"batch.connection_fault", "batch.http_client"},
    "pyarrow": {"arrow", "data.arrow_values", "data.parquet", "exports.parquet"},
    "pydantic": {"settings"},
    "pypandoc": {"sandbox"},
    "IPython": {"console.notebook"},
    "rich": {"console.bar", "console.monitor"},
    "python_calamine": {"data.excel"},
    "structlog": {"logs"},
    "toktok": {"plan.tokens"},
    "tenacity": {"delivery", "direct.retry", "patience"},
    "aiohttp": {"direct.exchange", "direct.transport", "direct.wire", "proxy", "sandbox", "web"},
    "httptools": {"direct.wire"},
    "psycopg": {"data.postgres", "data.selection", "exports", "postgres"},
    "jsonschema_rs": {"sandbox.structured", "tasks.schema"},
    "xlsxwriter": {"exports.excel"},
    "backports": {"packing"},
    "sqlite3": {
        *("batch.store", "delivery", "doctor", "exports", "followup", "importing", "ledger", "run"),
        *("jobs", "quality", "rehearsal", "reporting", "sandbox", "sending", "watch"),
    },
}


@cache
def modules() -> Mapping[str, Sequence[str]]:
    """Every module, and what it imports."""
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): tuple(
            imported(ast.parse(path.read_text()))
        )
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def within(name: str, place: str) -> bool:
    return name == place or name.startswith(place + ".")


def test_imports_run_one_way() -> None:
    wrong = []
    for name, targets in modules().items():
        room = room_of(name)
        if room == "cli":
            continue
        for target in targets:
            if not target.startswith("processor."):
                continue
            used = room_of(target.removeprefix("processor."))
            if used not in {room, "__version__"} and used not in ALLOWED[room]:
                wrong.append(f"{name} imports {target}")
    assert not wrong


def test_nothing_but_the_command_knows_the_command_line() -> None:
    users = {
        room_of(name)
        for name, targets in modules().items()
        if any(within(target, "processor.cli") for target in targets)
    }
    assert users == {"cli", "__main__"}


def test_the_sandbox_shares_no_code_with_the_client() -> None:
    for name, targets in modules().items():
        for target in targets:
            if within(target, "processor.sandbox"):
                assert within(name, "sandbox") or name == "cli.sandbox", name
            if within(name, "sandbox"):
                assert not target.startswith("processor.") or within(target, "processor.sandbox")


@pytest.mark.parametrize("package", SOLE_IMPORTERS)
def test_a_package_has_one_place(package: str) -> None:
    importers = {
        name
        for name, targets in modules().items()
        if any(within(target, package) for target in targets)
    }
    strays = {
        name
        for name in importers
        if not any(within(name, place) for place in SOLE_IMPORTERS[package])
    }
    assert not strays
    assert importers, f"nobody imports {package}: drop it from the dependencies"


def test_who_goes_directly_does_not_load_the_batch_lane() -> None:
    look = "import sys, processor.run; print(*(name for name in sys.modules))"
    told = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True)
    loaded = set(told.stdout.split())
    assert "processor.direct.lane" in loaded
    assert not {"openai", "httpx2", "processor.batch.lane", "processor.sending.batch"} & loaded

"""Tasks by the name or path of their TOML file."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from processor.errors import TaskError
from processor.tasks.as_is import AsIsTask
from processor.tasks.files import read_text
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import TaskFile, parse, parse_values

_SHIPPED = files("processor.tasks").joinpath("shipped")
_SUFFIX = ".toml"
_MADE = "Task"


def shipped_tasks() -> tuple[str, ...]:
    """Names of the tasks that come with the package, sorted."""
    names = (entry.name for entry in _SHIPPED.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


def load_task(
    name_or_path: str, *, model: str | None = None, max_output_tokens: int | None = None
) -> PromptTask:
    """A task, ready to render.

    Args:
        name_or_path: A shipped task (`mathml`), or a path: whatever ends in `.toml` or has a
            directory.
        model: In place of the file's, and of those that rows name.
        max_output_tokens: In place of the file's.

    Raises:
        TaskError: No such task, or its file or its schema's is wrong; one line that names file
            and key.
    """
    folder = Path(name_or_path).parent
    file = parse(task_text(name_or_path), where=name_or_path, folder=folder)
    file = _overridden(file, model=model, max_output_tokens=max_output_tokens)
    return (AsIsTask if file.as_is else PromptTask)(file, where=name_or_path)


def made_task(
    keys: Mapping[str, Any], *, model: str | None = None, max_output_tokens: int | None = None
) -> PromptTask:
    """A task of the keys of a task file; the other arguments as those of `load_task`.

    Raises:
        TaskError: A key is unknown or missing, or its value cannot be.
    """
    file = parse_values(keys, where=_MADE)
    return PromptTask(
        _overridden(file, model=model, max_output_tokens=max_output_tokens), where=_MADE
    )


def task_text(name_or_path: str) -> str:
    """The text of a task's file.

    Raises:
        TaskError: No such task, or its file cannot be read.
    """
    if name_or_path in shipped_tasks():
        return _SHIPPED.joinpath(name_or_path + _SUFFIX).read_text("utf-8")
    path = Path(name_or_path)
    if path.suffix != _SUFFIX and path.name == name_or_path:
        raise TaskError(
            f"{name_or_path}: no such task",
            way_out=f"There are {', '.join(shipped_tasks())}; your own is a path to a .toml file",
        )
    return read_text(path, where=name_or_path)


def _overridden(file: TaskFile, *, model: str | None, max_output_tokens: int | None) -> TaskFile:
    if model is not None:  # for all rows, also for those that name one
        file = replace(file, model=model, overrides=replace(file.overrides, model=None))
    if max_output_tokens is not None:
        file = replace(file, max_output_tokens=max_output_tokens)
    return file

"""`processor tasks`."""

import click

_EPILOG = """\b
Examples:
  processor tasks                  what there is
  processor tasks mathml           the file of one, to copy and change
  processor tasks mathml > my.toml
"""


@click.command(epilog=_EPILOG)
@click.argument("name", required=False)
def command(name: str | None) -> None:
    """List the tasks that come with the program, or show one."""
    from processor.tasks.toml import load_task, shipped_tasks, task_text  # noqa: PLC0415

    if name is None:
        for each in shipped_tasks():
            print(f"{each:<10} {load_task(each).description}")
        return
    load_task(name)
    print(task_text(name), end="")

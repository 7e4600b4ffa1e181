"""`python -m processor.sandbox`: the command `processor sandbox`, by itself."""

import sys

import click

from processor.cli.sandbox import command


def main() -> int:
    """Run the command; whatever the user did wrong is one line and exit code 1."""
    try:
        command.main(prog_name="processor sandbox", standalone_mode=False)
    except click.ClickException as error:
        print(f"Error: {error.format_message()}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

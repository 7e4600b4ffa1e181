"""What tests of notifications share: rows that nobody is to hear of, and a secret."""

from pathlib import Path

from command_line import SAY, Shell

SECRET = "Tk8Qz7rMw2XhVb5e"
WORD = "quicksilver"


def words(shell: Shell, count: int = 5) -> tuple[str, ...]:
    """Options for a task and a table, of whose content nobody is to hear."""
    table = "word\n" + "".join(f"{WORD}{number}\n" for number in range(count))
    return ("--task", shell.write("say.toml", SAY), "--input", shell.write("r.csv", table))


def assert_nowhere(secret: str, path: Path, *said: str) -> None:
    """Nobody who reads files, logs or the screen learns it."""
    assert not [text for text in said if secret in text]
    files = [each for each in path.rglob("*") if each.is_file()]
    assert files
    assert not [each for each in files if secret.encode() in each.read_bytes()]

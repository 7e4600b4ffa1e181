"""Every setting with its value, its unit, what it means and where it came from; secrets masked."""

from dataclasses import asdict, dataclass
from typing import Any

from processor.layers import Found, Layer
from processor.postgres import is_address, without_password
from processor.setting_names import unit_of
from processor.settings import Settings

DEFAULT = "default"
_SHOWN_CHARS = 4
_SHOWN_FROM_CHARS = 16  # of a shorter secret the last characters would be too much of it
_PREFIX = "sk-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One setting.

    Attributes:
        value: As JSON; masked where it is a secret.
        unit: Empty where it has none.
        origin: Place that it was read from, or `default`.
    """

    name: str
    value: Any
    unit: str
    description: str
    origin: str


def entries(settings: Settings, found: Layer) -> list[Entry]:
    """All settings, in the order of their class.

    Args:
        settings: What is in force.
        found: Where each value was found; what is not in it has its default.
    """
    values = settings.public() | _secrets(settings)
    return [
        Entry(
            name=name,
            value=values[name],
            unit=unit_of(name),
            description=field.description or "",
            origin=found[name].place if name in found else DEFAULT,
        )
        for name, field in Settings.model_fields.items()
    ]


def database(found: Found | None) -> Entry:
    """The database of rows that no option names, which is no setting but decides as much.

    Args:
        found: Its address, and where that stands.
    """
    value = None
    if found is not None:
        value = without_password(found.value) if is_address(found.value) else "…"
    return Entry(
        name="database",
        value=value,
        unit="",
        description="read when no input is named; results go back into it",
        origin=DEFAULT if found is None else found.place,
    )


def as_json(entry: Entry) -> dict[str, Any]:
    """An entry as a JSON object."""
    return asdict(entry)


def masked(secret: str) -> str:
    """What tells two secrets apart and is of no other use: at most the last four characters."""
    prefix = _PREFIX if secret.startswith(_PREFIX) else ""
    end = secret[-_SHOWN_CHARS:] if len(secret) >= _SHOWN_FROM_CHARS else ""
    return f"{prefix}…{end}"


def _secrets(settings: Settings) -> dict[str, Any]:
    key = settings.api_key
    return {
        "api_key": masked(key.get_secret_value()) if key else None,
        "headers": {name: masked(value.get_secret_value()) for name, value in settings.headers},
    }

"""Which Python and which packages there are."""

import platform
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from processor.doctor.finding import Finding, note, ok, wrong

DISTRIBUTION = "request-processor"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"""extra\s*==\s*["']([\w-]+)["']""")
_FOR_DEVELOPERS = "dev"


def examine() -> Iterator[Finding]:
    """Python, the packages that are needed, and the extras that are or are not installed."""
    yield ok("python", f"{platform.python_version()} on {platform.platform()}")
    try:
        own = version(DISTRIBUTION)
    except PackageNotFoundError:
        yield note("packages", f"{DISTRIBUTION} is used without being installed")
        return
    needed = packages()
    missing = [name for name, found in needed.get("", {}).items() if found is None]
    if missing:
        yield wrong(
            "packages",
            f"missing: {', '.join(missing)}",
            f"pip install --force-reinstall {DISTRIBUTION}",
        )
    else:
        yield ok("packages", f"{DISTRIBUTION} {own} and the {len(needed.get('', {}))} it needs")
    yield from _extras(needed)


def packages() -> dict[str, dict[str, str | None]]:
    """Extra to package to its version; None for one that is missing, '' for what all need.

    Raises:
        PackageNotFoundError: The program is used without being installed.
    """
    found: dict[str, dict[str, str | None]] = {}
    for requirement in requires(DISTRIBUTION) or ():
        name, extra = _NAME.match(requirement), _EXTRA.search(requirement)
        group = extra[1] if extra else ""
        if name is None or group == _FOR_DEVELOPERS or not _is_meant(requirement):
            continue
        found.setdefault(group, {})[name[0]] = _version(name[0])
    return found


def _extras(needed: dict[str, dict[str, str | None]]) -> Iterator[Finding]:
    extras = {extra: found for extra, found in needed.items() if extra}
    missing = sorted(extra for extra, found in extras.items() if None in found.values())
    there = sorted(extras.keys() - set(missing))
    if missing:
        yield note(
            "extras",
            f"installed: {', '.join(there) or 'none'}; not installed: {', '.join(missing)}",
            f"When they are wanted: pip install '{DISTRIBUTION}[{','.join(missing)}]'.",
        )
    else:
        yield ok("extras", f"installed: {', '.join(there)}")


def _is_meant(requirement: str) -> bool:
    """Whether a requirement is for this platform, as far as ours tell platforms apart."""
    return not ("sys_platform" in requirement and platform.system() == "Windows")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

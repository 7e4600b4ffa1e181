"""Whether there is a key, and whether it looks like one."""

from processor.doctor.finding import Finding, note, ok, skipped, wrong
from processor.inventory import masked
from processor.layers import Layer
from processor.settings import Settings

_OPENAI_PREFIX = "sk-"
_OPENAI_LEAST_CHARS = 20


def examine(settings: Settings, found: Layer, *, needed: bool) -> Finding:
    """See the key without asking anybody.

    Args:
        settings: What is in force.
        found: Where it was found.
        needed: Whether the provider demands one for all that is known.
    """
    if settings.api_key is None:
        name = "AZURE_OPENAI_API_KEY" if settings.access.is_azure else "OPENAI_API_KEY"
        if not needed:
            return skipped("key", f"{settings.host} may need none")
        return wrong("key", f"{name} not found", f"export {name}=…, or a line in .env.")
    key = settings.api_key.get_secret_value()
    said = f"{masked(key)}, {len(key)} characters, from {found['api_key'].place}"
    is_openais = settings.provider == "openai"
    if is_openais and not (key.startswith(_OPENAI_PREFIX) and len(key) >= _OPENAI_LEAST_CHARS):
        return note("key", said, "OpenAI's begin with sk- and are longer; copy it anew.")
    return ok("key", said)

"""The proxy that the environment names for an address."""

import aiohttp
from aiohttp import hdrs
from aiohttp.helpers import get_env_proxy_for_url
from yarl import URL


def proxy_for(base_url: str) -> tuple[URL, dict[str, str]] | None:
    """The environment's proxy for an address, and the headers that open it; None without one."""
    try:
        proxy, auth = get_env_proxy_for_url(URL(base_url))
    except (LookupError, ValueError):  # an address that cannot be is told at the first call
        return None
    if auth is None:
        return proxy, {}
    basic = aiohttp.encode_basic_auth(auth.login, auth.password)
    return proxy, {hdrs.PROXY_AUTHORIZATION: basic}

"""The proxy through which a provider is reached."""

import aiohttp
from aiohttp import hdrs
from aiohttp.helpers import get_env_proxy_for_url, strip_auth_from_url
from yarl import URL

from processor.access import Access


def proxy_for(access: Access) -> tuple[URL, dict[str, str]] | None:
    """The proxy, and the headers that open it; None without one.

    The one that was named goes before those of the environment, its exceptions included.
    """
    try:
        if access.proxy is not None:
            proxy, auth = strip_auth_from_url(URL(access.proxy))
        else:
            proxy, auth = get_env_proxy_for_url(URL(access.base_url))
    except (LookupError, ValueError):  # an address that cannot be is told at the first call
        return None
    if auth is None:
        return proxy, {}
    basic = aiohttp.encode_basic_auth(auth.login, auth.password)
    return proxy, {hdrs.PROXY_AUTHORIZATION: basic}

"""How a provider is reached: the address of each call, and the headers that open it. Pure.

Azure is asked in one of two ways. With `api_version` by dated routes, which name the deployment
(`/openai/deployments/NAME/chat/completions?api-version=…`); without one by `/openai/v1`, whose
requests are OpenAI's own. Both take the key in a header of Azure's.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

OPENAI_URL = "https://api.openai.com/v1"
ORGANIZATION = "OpenAI-Organization"
PROJECT = "OpenAI-Project"
AUTHORIZATION = "Authorization"
API_KEY = "api-key"

_V1 = "/v1"
_AZURE_URL = re.compile(r"https?://[^/?#@]+\.azure\.(?:com|us|cn)(?::\d+)?(?:/|$)", re.IGNORECASE)
_AZURE_ROUTE = "/openai"
_DEPLOYMENTS = "/deployments/"
_AZURE_PATH = re.compile(r"(?P<root>https?://[^/]+.*)/openai(?P<named>/v1|/deployments/[^/]+)?")
# What names its model in the path of Azure's dated API; everything else does in the body.
_DEPLOYED = frozenset({"/chat/completions", "/embeddings"})
_SECRET_LEAST_CHARS = 8  # a shorter one may be a word
_UNSAID_LEAST_CHARS = 20  # a shorter one may stand in a model's answer
# Many characters without the marks of addresses and between words, and a digit among them.
_LIKE_A_KEY = re.compile(rf"(?=[A-Za-z_+=-]*\d)[\w+=-]{{{_UNSAID_LEAST_CHARS},}}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a provider is reached.

    Attributes:
        base_url: Such as `https://api.openai.com/v1`, without a slash at the end.
        api_key: Sent with every call; None sends none.
        headers: Further (name, value) pairs; their values are secrets.
        organization: Who is charged, where a key belongs to several.
        project: The same.
        api_version: Of Azure's dated API.
        proxy: Address of the one to be used, with the password that opens it; None leaves that to
            the environment.
    """

    base_url: str
    api_key: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    organization: str | None = None
    project: str | None = None
    api_version: str | None = None
    proxy: str | None = None

    @property
    def is_azure(self) -> bool:
        """Whether the provider is Azure, or a gateway that speaks as it does."""
        return self.api_version is not None or _AZURE_URL.match(self.base_url) is not None

    def url(self, endpoint: str, model: str) -> str:
        """Where a call goes.

        Args:
            endpoint: Such as `/v1/chat/completions`.
            model: Of the request; on Azure the name of a deployment.
        """
        route = endpoint.removeprefix(_V1)
        if not self.is_azure:
            return self.base_url + route
        root, named = _azure_root(self.base_url)
        if self.api_version is None:
            return self._azure_v1_url(root, named) + route
        query = f"?api-version={quote(self.api_version)}"
        if named == _V1:
            return f"{root}{_AZURE_ROUTE}{_V1}{route}{query}"
        if route not in _DEPLOYED:
            return f"{root}{_AZURE_ROUTE}{route}{query}"
        deployment = named or f"{_DEPLOYMENTS}{quote(model, safe='')}"
        return f"{root}{_AZURE_ROUTE}{deployment}{route}{query}"

    def _azure_v1_url(self, root: str, named: str) -> str:
        """An address with a path of its own is another service of Azure's, and left as it is."""
        if not named and urlsplit(root).path:
            return self.base_url
        return f"{root}{_AZURE_ROUTE}{_V1}"

    def sent_headers(self) -> dict[str, str]:
        """What every call carries besides what HTTP and JSON need."""
        sent: dict[str, str] = dict(self.headers)
        if self.organization is not None:
            sent[ORGANIZATION] = self.organization
        if self.project is not None:
            sent[PROJECT] = self.project
        if self.api_key is not None:
            sent |= key_header(self.api_key, azure=self.is_azure)
        return sent

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log, error or answer may show; the longest first."""
        values = [value for _, value in self.headers]
        found = (self.api_key, *values, *_passwords_of(self.proxy))
        known = {value for value in found if value and _is_telling(value)}
        return tuple(sorted(known, key=lambda secret: (-len(secret), secret)))

    def may_be_said(self, secret: str) -> bool:
        """Whether a model that was never told a secret may say it all the same.

        Routers want the name and the address of who asks in headers (`HTTP-Referer`), and those
        may be what rows are about.
        """
        if len(secret) < _UNSAID_LEAST_CHARS:
            return True
        return secret != self.api_key and _LIKE_A_KEY.search(secret) is None


def without_password(address: str) -> str:
    """An address that may be shown: in place of what may be its password stands `…`."""
    head, at, place = address.rpartition("@")
    scheme, mark, account = head.rpartition("://")
    user, colon, _ = account.partition(":")
    return f"{scheme}{mark}{user}:…@{place}" if at and colon else address


def _passwords_of(proxy: str | None) -> tuple[str, ...]:
    """The password of a proxy as it is, as it stands in the address, and as it is sent."""
    parts = urlsplit(proxy or "")
    if not parts.password:
        return ()
    password = unquote(parts.password)
    entry = f"{unquote(parts.username or '')}:{password}"
    return password, parts.password, b64encode(entry.encode()).decode()


def key_header(key: str, *, azure: bool) -> Mapping[str, str]:
    """The header that carries a key."""
    return {API_KEY: key} if azure else {AUTHORIZATION: f"Bearer {key}"}


def _is_telling(value: str) -> bool:
    return len(value) >= _SECRET_LEAST_CHARS


def names_deployment(base_url: str) -> bool:
    """Whether an address is that of one deployment on Azure."""
    return _azure_root(base_url)[1].startswith(_DEPLOYMENTS)


def _azure_root(base_url: str) -> tuple[str, str]:
    """The address of a resource, and the deployment or `/v1` that its address named."""
    found = _AZURE_PATH.fullmatch(base_url)
    return (found["root"], found["named"] or "") if found else (base_url, "")

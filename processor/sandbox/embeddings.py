"""`POST /v1/embeddings`."""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from aiohttp import web

from processor.sandbox import models
from processor.sandbox.answers.answerer import is_spoiled
from processor.sandbox.answers.vector import to_bytes, vector_of
from processor.sandbox.call import Answer, serve
from processor.sandbox.embedding_request import EmbeddingRequest, check_embedding
from processor.sandbox.state import Sandbox


async def create(request: web.Request) -> web.StreamResponse:
    """Answer with the vectors of texts.

    Raises:
        ApiError: The request is refused.
    """
    return await serve(request, read)


def read(body: dict[str, Any], sandbox: Sandbox) -> "_Ask":
    """The vectors that a body asks for.

    Raises:
        ApiError: It is refused.
    """
    return _Ask(wanted=check_embedding(body, sandbox.config))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """Texts to be embedded; implements `Ask`."""

    wanted: EmbeddingRequest

    @property
    def model(self) -> str:
        return self.wanted.model

    @property
    def key(self) -> str:
        return sha256(self.text.encode()).hexdigest()[:16]

    @property
    def text(self) -> str:
        return "\x1e".join(self.wanted.texts)

    @property
    def tier(self) -> str:
        return "default"

    @property
    def charge_tokens(self) -> int:
        return self.wanted.prompt_tokens

    async def answer(self, sandbox: Sandbox, paid: int) -> Answer:
        wanted = self.wanted
        spoiled = is_spoiled(self.key, paid, sandbox.config)
        vectors = [
            _vector(text, wanted, sandbox.config.seed, spoiled=spoiled) for text in wanted.texts
        ]
        return Answer(
            body=_body(wanted, vectors), prompt_tokens=wanted.prompt_tokens, completion_tokens=0
        )


def _vector(text: str, wanted: EmbeddingRequest, seed: int, *, spoiled: bool) -> list[float]:
    """The vector; a wrong one is all zeros."""
    of = models.vector_numbers(wanted.model)
    if spoiled:
        return [0.0] * wanted.numbers
    return vector_of(text, seed, wanted.model, numbers=wanted.numbers, of=of)


def _body(wanted: EmbeddingRequest, vectors: list[list[float]]) -> dict[str, Any]:
    return {
        "object": "list",
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": b64encode(to_bytes(vector)).decode() if wanted.base64 else vector,
            }
            for index, vector in enumerate(vectors)
        ],
        "model": wanted.model,
        "usage": {"prompt_tokens": wanted.prompt_tokens, "total_tokens": wanted.prompt_tokens},
    }

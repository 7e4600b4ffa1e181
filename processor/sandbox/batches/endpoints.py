"""The endpoints that a batch may have."""

from collections.abc import Mapping
from dataclasses import dataclass

from processor.sandbox import chat, embeddings, responses
from processor.sandbox.call import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What is asked at one.

    Attributes:
        read: From a line's body to the request in it.
        words: Its name in messages.
        needs: What a body must have beside the model.
    """

    read: Reader
    words: str
    needs: str


SERVED: Mapping[str, Endpoint] = {
    "/v1/responses": Endpoint(read=responses.read, words="Responses", needs="input"),
    "/v1/chat/completions": Endpoint(read=chat.read, words="Chat Completions", needs="messages"),
    "/v1/embeddings": Endpoint(read=embeddings.read, words="Embeddings", needs="input"),
}
# OpenAI's, which the sandbox has no models for.
ELSEWHERE = (
    "/v1/completions",
    "/v1/moderations",
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/videos",
)

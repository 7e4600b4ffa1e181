"""Rows that are requests already, such as lines of the Batch API: sent as they are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from processor.errors import TaskError
from processor.items import Accepted, Invalid, Item, Request
from processor.tasks.embedding import VectorCheck
from processor.tasks.endpoint import ENDPOINTS, Embeddings, Endpoint
from processor.tasks.prompt import PromptTask
from processor.tasks.taskfile import TaskFile

_URL, _BODY = "url", "body"
# They bring no answer that could be kept, or none that is there when the call ends.
_NOT_ASKED = ("stream", "background")
# All others would be paid for, and one kept.
_ONE = (None, 1)


class AsIsTask(PromptTask):
    """Sends the column `body` to the endpoint in the column `url`.

    Model and cap of output tokens are the body's own unless the task's file, or whoever loads it,
    says others.
    """

    def __init__(self, file: TaskFile, *, where: str) -> None:
        super().__init__(file, where=where)
        self._file = file
        self._vectors = VectorCheck(None)

    def required_fields(self) -> Sequence[str]:
        """Where it goes, and what."""
        return (_BODY, _URL)

    @property
    def lets_rows_choose(self) -> bool:
        """They choose everything."""
        return True

    def chosen_by(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """All of the row's body but what is said, and its model if another goes before it."""
        body, endpoint = fields.get(_BODY), _endpoint_of(fields.get(_URL))
        if not isinstance(body, Mapping) or endpoint is None:
            return {}
        others = {endpoint.turns, *([] if self.model_field else ["model"])}
        return {name: value for name, value in body.items() if name not in others}

    def problem_with(self, fields: Mapping[str, Any]) -> str | None:
        """Why a row is no request that can be sent; None when it is."""
        try:
            self._request(fields)
        except TaskError as error:
            return str(error)
        return None

    def render(self, item: Item, invalid: Iterable[tuple[str, str]] = ()) -> Request:
        """The request that the row is.

        Raises:
            TaskError: It is none.
        """
        url, body = self._request(item.fields)
        endpoint = ENDPOINTS[url]
        for answer, problem in invalid:
            body[endpoint.turns] = endpoint.continued(body[endpoint.turns], answer, problem)
        return Request(endpoint=url, body=body)

    def expect_vectors(self, length: int) -> None:
        """Take vectors of this length only: the run has such from an earlier start."""
        self._vectors.expect(length)

    def check(self, item: Item, answer: str) -> Accepted | Invalid:
        """Whether an answer is one of its endpoint's: a text, or a vector."""
        if item.fields.get(_URL) == Embeddings.path:
            return self._vectors(item, answer)
        return super().check(item, answer)

    def _request(self, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        url, body = fields.get(_URL), fields.get(_BODY)
        endpoint = _endpoint_of(url)
        if endpoint is None:
            raise TaskError(f"its url is {url}, and there are {', '.join(ENDPOINTS)}")
        if not isinstance(body, Mapping):
            raise TaskError("its body is no object")
        request = dict(body)
        if self.model_field is None:
            request["model"] = self._file.model
        _expect_request(request, endpoint)
        return endpoint.path, self._capped(request, endpoint)

    def _capped(self, body: dict[str, Any], endpoint: Endpoint) -> dict[str, Any]:
        cap = self._file.max_output_tokens
        if cap is None:
            return body
        others = {key: value for key, value in body.items() if key not in endpoint.caps}
        return {**others, endpoint.cap(body["model"]): cap}


def _endpoint_of(url: Any) -> Endpoint | None:
    return ENDPOINTS.get(url) if isinstance(url, str) else None


def _expect_request(body: Mapping[str, Any], endpoint: Endpoint) -> None:
    model = body.get("model")
    if not isinstance(model, str) or not model.strip():
        raise TaskError("its body names no model, as --model does")
    if not body.get(endpoint.turns):
        raise TaskError(f"its body has no {endpoint.turns}, which {endpoint.path} needs")
    for key in _NOT_ASKED:
        if body.get(key):
            raise TaskError(f"its body asks for {key}, and an answer is read as a whole")
    if body.get("n") not in _ONE:
        raise TaskError(f"its body asks for {body['n']} answers, and a row has one; see --repeat")
    if endpoint.path == Embeddings.path and _is_many(body[endpoint.turns]):
        raise TaskError("its body asks for several vectors, and a row has one")


def _is_many(texts: Any) -> bool:
    """Whether it is a list of texts; one of numbers is a text in tokens."""
    return isinstance(texts, list) and len(texts) > 1 and not isinstance(texts[0], int)

"""The application: which route leads where."""

from collections.abc import AsyncIterator

from aiohttp import web

from processor.sandbox import (
    admin,
    azure,
    chat,
    completions,
    embeddings,
    listing,
    records,
    responses,
)
from processor.sandbox.batches import routes as batches
from processor.sandbox.batches.desk import DESK, Desk
from processor.sandbox.clock import Clock, SystemClock
from processor.sandbox.config import SandboxConfig
from processor.sandbox.files import routes as files
from processor.sandbox.front import add_headers, front
from processor.sandbox.state import SANDBOX, Sandbox

_DEPLOYMENT = f"/openai/deployments/{{{azure.DEPLOYMENT}}}"


def build_app(config: SandboxConfig, clock: Clock | None = None) -> web.Application:
    """An application of its own state; two of them share nothing.

    Args:
        config: Every option.
        clock: What it waits and measures by; the machine's when none is given.

    Raises:
        FaultError: A fault of the configuration is unknown.
    """
    app = web.Application(middlewares=[front], client_max_size=config.max_body_bytes)
    app[SANDBOX] = Sandbox(config, clock or SystemClock())
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.extend((_storage, _converter, _desk))
    app.add_routes(
        [
            *(route for root in ("/v1", "/openai/v1", "/openai") for route in _api(root)),
            web.post(f"{_DEPLOYMENT}/chat/completions", chat.create),
            web.post(f"{_DEPLOYMENT}/embeddings", embeddings.create),
            web.get("/sandbox/stats", admin.get_stats),
            web.post("/sandbox/stats/reset", admin.reset_stats),
            web.get("/sandbox/limits", admin.get_limits),
            web.get("/sandbox/faults", admin.get_faults),
            web.post("/sandbox/faults", admin.change_faults),
            web.get("/sandbox/clock", admin.get_clock),
            web.post("/sandbox/clock", admin.advance_clock),
            web.get("/sandbox/batches", records.get_batches),
            web.get("/sandbox/charges", records.get_charges),
            web.get("/sandbox/events", records.get_events),
            web.post("/sandbox/forget", records.forget),
            web.post("/sandbox/config", admin.change_config),
        ]
    )
    return app


def _api(root: str) -> list[web.RouteDef]:
    """OpenAI's routes; of Azure's dated ones those that name no deployment."""
    routes = [
        web.post(f"{root}/responses", responses.create),
        web.get(f"{root}/responses/{{response}}", responses.retrieve),
        web.delete(f"{root}/responses/{{response}}", responses.delete),
        web.post(f"{root}/files", files.create),
        web.get(f"{root}/files", files.list_files),
        web.get(f"{root}/files/{{file}}", files.retrieve),
        web.get(f"{root}/files/{{file}}/content", files.content),
        web.delete(f"{root}/files/{{file}}", files.delete),
        web.post(f"{root}/batches", batches.create),
        web.get(f"{root}/batches", batches.list_batches),
        web.get(f"{root}/batches/{{batch}}", batches.retrieve),
        web.post(f"{root}/batches/{{batch}}/cancel", batches.cancel),
        web.get(f"{root}/models", listing.list_models),
        web.get(f"{root}/models/{{model}}", listing.retrieve_model),
    ]
    return [*routes, *_calls(root)] if root.endswith("/v1") else routes


def _calls(root: str) -> list[web.RouteDef]:
    """Those that name the model in the body, and what they stored."""
    chats = f"{root}/chat/completions"
    return [
        web.post(f"{root}/embeddings", embeddings.create),
        web.post(chats, chat.create),
        web.get(chats, completions.list_completions),
        web.get(f"{chats}/{{completion}}", completions.retrieve),
        web.post(f"{chats}/{{completion}}", completions.update),
        web.delete(f"{chats}/{{completion}}", completions.delete),
        web.get(f"{chats}/{{completion}}/messages", completions.list_messages),
    ]


async def _converter(app: web.Application) -> AsyncIterator[None]:
    yield
    await app[SANDBOX].converter.close()


async def _storage(app: web.Application) -> AsyncIterator[None]:
    yield
    app[SANDBOX].close()


async def _desk(app: web.Application) -> AsyncIterator[None]:
    app[DESK] = Desk(app[SANDBOX])
    if app[SANDBOX].config.state is not None:
        app[DESK].resume()
    yield
    await app[DESK].close()

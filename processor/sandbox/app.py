"""The application: which route leads where."""

from collections.abc import AsyncIterator

from aiohttp import web

from processor.sandbox import admin, chat, embeddings, listing, responses
from processor.sandbox.clock import Clock, SystemClock
from processor.sandbox.config import SandboxConfig
from processor.sandbox.front import add_headers, front
from processor.sandbox.state import SANDBOX, Sandbox


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
    app.cleanup_ctx.append(_converter)
    app.add_routes(
        [
            web.post("/v1/chat/completions", chat.create),
            web.post("/v1/responses", responses.create),
            web.get("/v1/responses/{response}", responses.retrieve),
            web.delete("/v1/responses/{response}", responses.delete),
            web.post("/v1/embeddings", embeddings.create),
            web.get("/v1/models", listing.list_models),
            web.get("/v1/models/{model}", listing.retrieve_model),
            web.get("/sandbox/stats", admin.get_stats),
            web.post("/sandbox/stats/reset", admin.reset_stats),
            web.get("/sandbox/limits", admin.get_limits),
            web.get("/sandbox/faults", admin.get_faults),
            web.post("/sandbox/faults", admin.change_faults),
            web.post("/sandbox/clock", admin.advance_clock),
            web.post("/sandbox/config", admin.change_config),
        ]
    )
    return app


async def _converter(app: web.Application) -> AsyncIterator[None]:
    yield
    await app[SANDBOX].converter.close()

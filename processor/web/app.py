"""The application: which address leads where."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from aiohttp import web

from processor.web import control, events, items, listing, page, story
from processor.web.guard import GUARD, Guard, add_headers, guarded
from processor.web.listing import LISTING, Listing
from processor.web.replies import explained
from processor.web.runs import Runs
from processor.web.shared import SHARED, Beat, Shared

_MOST_BYTES = 64 * 1024  # of what is sent to us: orders of a few words
_RUN = "/api/runs/{run}"


def build_app(folders: Sequence[Path], port: int, beat: Beat) -> web.Application:
    """An application of its own state.

    Args:
        folders: Runs that are shown besides those in the usual place.
        port: Where it listens.
        beat: How often it looks.
    """
    app = web.Application(middlewares=[guarded, explained], client_max_size=_MOST_BYTES)
    runs = Runs(folders)
    app[GUARD], app[SHARED], app[LISTING] = (
        Guard(port),
        Shared(runs, beat),
        Listing(runs, beat.every_s),
    )
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(_threads)
    app.add_routes(
        [
            web.get("/", page.page),
            web.get("/assets/{name}", page.asset),
            web.get("/api/runs", listing.runs),
            web.get(_RUN, listing.run),
            web.get(f"{_RUN}/events", events.events, allow_head=False),
            web.get(f"{_RUN}/items", items.items),
            web.get(f"{_RUN}/items/{{seq}}", story.story),
            web.get(f"{_RUN}/orders", control.orders),
            web.post(f"{_RUN}/control", control.give),
        ]
    )
    return app


async def _threads(app: web.Application) -> AsyncIterator[None]:
    yield
    app[SHARED].close()

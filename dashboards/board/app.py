"""Routes and caching of the board; nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace

import asyncpg
import orjson
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dashboards.board import language as languages
from dashboards.board import method as methods
from dashboards.board.declaration import declaration
from dashboards.board.feed import Feed, Look, OpenPool
from dashboards.board.ground import Ground, GroundReads
from dashboards.board.guard import HEADERS, Guard, Meters
from dashboards.board.known import Known
from dashboards.board.language import Language
from dashboards.board.live import live
from dashboards.board.method import MethodReads
from dashboards.board.open_json import as_json
from dashboards.board.printing import Printing
from dashboards.board.sheet import Sheet, Where
from dashboards.board.showing import Showing
from dashboards.board.views.catalogue import views
from dashboards.board.views.view import Asked
from dashboards.settings import Settings
from storage import database

log = logging.getLogger(__name__)

Texts = Callable[[], Awaitable[dict[str, str] | None]]

RETRY_MS = 3000
BEAT_S = 15.0

# Ages are told in minutes: a sheet whose rows are as they were is said anew this often. [s]
SAID_ANEW_S = 5.0


async def open_own_pool() -> asyncpg.Pool:
    """Connections as the board asks: few figures out of many."""
    return await database.open_pool(application="beffroi board", page_cost=1.1)


def application(
    settings: Settings,
    *,
    open_pool: OpenPool = open_own_pool,
    stop: asyncio.Event | None = None,
) -> Starlette:
    """The board as an ASGI application; `stop` ends its event streams."""
    return Board(settings, open_pool, stop or asyncio.Event()).starlette()


class Board:
    """The application: what is known, and who is answered what."""

    def __init__(self, settings: Settings, open_pool: OpenPool, stop: asyncio.Event) -> None:
        self.settings = settings
        self.stop = stop
        self.meters = Meters()
        self.views = views(settings)
        self.feed = Feed(
            (GroundReads(), MethodReads(), *self.views.values()), open_pool,
            refresh_s=settings.refresh_s, observe=self.meters.observe,
        )  # fmt: skip
        self.printing = Printing(settings, tuple(self.views.values()))
        self.said: dict[tuple[str, str, str, str], Known] = {}
        self.showing = Showing(self)

    def starlette(self) -> Starlette:
        """With its routes and middleware."""
        pages = [Route("/" if number == 0 else f"/{name}", self.page, name=name)
                 for number, name in enumerate(self.views)]  # fmt: skip
        return Starlette(
            routes=[
                *pages,
                Route("/method", self.method),
                Route("/method/{name}", self.method),
                Route("/accessibility", self.accessibility),
                Route("/{view}.json", self.data),
                Route("/events", self.events),
                Route("/screens", self.showing.index),
                Route("/screen/{id}.css", self.showing.style),
                Route("/screen/{id}", self.showing.page),
                Route("/sw.js", self.showing.worker),
                Route("/healthz", self.health),
                Route("/metrics", self.metrics),
                Mount("/static", StaticFiles(packages=[("dashboards.board", "static")])),
            ],
            middleware=[
                Middleware(Guard, meters=self.meters),
                # Event streams it leaves alone.
                Middleware(GZipMiddleware, minimum_size=1000),
            ],
            exception_handlers={HTTPException: self.refused, Exception: self.broken},
            lifespan=self.lifespan,
        )

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        """Until the server stops."""
        yield
        await self.feed.close()

    def language(self, request: Request) -> Language:
        """The one asked for, if there is such a one."""
        asked = request.query_params.get("lang", "")
        known = languages.codes()
        return languages.language(asked if asked in known else self.settings.language)

    async def ground(self) -> Ground | None:
        """Territories and settings; None where the database was never reached."""
        look = await self.feed.look("ground")
        return look.rows if look else None

    async def known(
        self, view: str, where: Where, language: Language, measure: str = ""
    ) -> Known | None:
        """Said once per look, place, language and chosen measure, however many watch; None: nothing
        read yet."""
        look = await self.feed.look(view)
        if look is None:
            return None
        key, now = (view, where.code, language.code, measure), self.feed.now()
        known = self.said.get(key)
        if (
            known is None
            or known.look is not look
            or bool(known.live["away"]) is not (look.away or self.feed.away)
            or known.where != where
            or abs((now - known.now).total_seconds()) >= SAID_ANEW_S
        ):
            sheet = self.sheet(view, look, Asked(where, language, now, measure))
            away = ""
            if look.away or self.feed.away:
                moment = language.moment(look.read_at, where.timezone)
                away = language.say("Database out of reach: last known data, of {moment}.",
                                    moment=moment)  # fmt: skip
            texts = live(sheet, where, now, language, away)
            known = self.said[key] = Known(
                self.views[view], where, language, sheet, texts, look, now
            )
            self.forget(view, look)
        return known

    def sheet(self, view: str, look: Look, asked: Asked) -> Sheet:
        """What a view says. Rows that it cannot say take neither the other views nor screens down."""
        try:
            return self.views[view].say(look.rows, asked)
        except Exception:
            log.exception("view not said view=%s territory=%s", view, asked.where.code)
            say = asked.language.say
            return Sheet(view=view, title=say(self.views[view].title),
                         empty=say("This cannot be shown at the moment."))  # fmt: skip

    def forget(self, view: str, look: Look) -> None:
        """Of places and languages that nobody asked for since, no former rows are kept."""
        for key in [key for key, one in self.said.items()
                    if key[0] == view and one.look is not look]:  # fmt: skip
            del self.said[key]

    async def asked(self, request: Request, view: str) -> tuple[Known | None, Ground | None]:
        """What a request asks for; (None, ground): there is no such place; (None, None): nothing
        is known yet."""
        ground = await self.ground()
        if ground is None:
            return None, None
        where = ground.where(request.query_params.get("territory", ""), self.settings.name)
        if where is None:
            return None, ground
        known = await self.known(view, where, self.language(request))
        return known, ground if known else None

    async def page(self, request: Request) -> Response:
        """A view for telephones, desks and paper."""
        view = request.scope["path"].strip("/") or next(iter(self.views))
        known, ground = await self.asked(request, view)
        language = self.language(request)
        if ground is None:
            # Not the script: without data there is no stream to listen to.
            return self.html(self.printing.nothing_yet(language), language, 503, Refresh="5")
        if known is None:
            return self.html(self.printing.unknown(language), language, 404)
        theme = request.query_params.get("theme", "")
        return self.html(self.printing.page(known, ground, theme), language)

    async def method(self, request: Request) -> Response:
        """How a figure is made; without a name, the list of all."""
        name, home = request.path_params.get("name", ""), next(iter(self.views))
        known, ground = await self.asked(request, home)
        look, language = await self.feed.look("method"), self.language(request)
        if ground is None or look is None:
            return self.html(self.printing.nothing_yet(language), language, 503, Refresh="5")
        sheet = None
        if known is not None:
            newest = next((fact for fact in known.sheet.facts if fact.key == name), None)
            sheet = methods.method(look.rows, name, known.where, language, newest)
            if not name:
                sheet = Sheet(view="method", title=language.say("How the figures are made"))
        if known is None or sheet is None:
            return self.html(self.printing.unknown(language), language, 404)
        shown = replace(known, sheet=sheet)
        entries = () if name else methods.entries(look.rows, known.where, language)
        theme = request.query_params.get("theme", "")
        return self.html(self.printing.method(shown, ground, theme, name, entries), language)

    async def accessibility(self, request: Request) -> Response:
        """The declaration that the law asks for."""
        known, ground = await self.asked(request, next(iter(self.views)))
        language = self.language(request)
        if ground is None:
            return self.html(self.printing.nothing_yet(language), language, 503, Refresh="5")
        if known is None:
            return self.html(self.printing.unknown(language), language, 404)
        shown = replace(known, sheet=declaration(language))
        theme = request.query_params.get("theme", "")
        return self.html(self.printing.declaration(shown, ground, theme), language)

    async def refused(self, request: Request, error: Exception) -> Response:
        """An address that is none, or a method that no page knows."""
        assert isinstance(error, HTTPException)
        language = self.language(request)
        if request.scope["path"].endswith(".json"):
            answer = _json({"error": error.detail}, error.status_code)
        else:
            text = (language.say("There is no such page here.") if error.status_code == 404
                    else language.say("This address cannot be used in that way."))  # fmt: skip
            answer = self.html(self.printing.plain(language, text), language, error.status_code)
        answer.headers.update(error.headers or {})
        return answer

    async def broken(self, request: Request, error: Exception) -> Response:
        """A mistake of ours: it is logged by whoever called, beyond the guard."""
        language = self.language(request)
        self.meters.requests.labels("other", "500").inc()
        text = language.say("Something went wrong here. Please try again in a moment.")
        return self.html(self.printing.plain(language, text), language, 500, **HEADERS)

    def html(self, text: str, language: Language, status: int = 200, **more: str) -> Response:
        """An answer for people."""
        headers = {"Content-Language": language.code, "Cache-Control": "no-store", **more}
        return Response(text, status, headers, "text/html")

    async def data(self, request: Request) -> Response:
        """A view as JSON."""
        view = request.path_params["view"]
        if view not in self.views:
            return _json({"error": "no such view", "views": list(self.views)}, 404)
        known, ground = await self.asked(request, view)
        if known is None:
            return _json({"error": "no such territory" if ground else "no data yet"},
                         404 if ground else 503)  # fmt: skip
        return _json(
            as_json(known.sheet, known.where, known.now, known.look.read_at,
                    away=bool(known.live["away"]), language=known.language.code)
        )  # fmt: skip

    async def events(self, request: Request) -> Response:
        """What changes in an open page."""
        if request.method == "HEAD":
            # A stream without a body would never end.
            return Response(headers={"Cache-Control": "no-store"}, media_type="text/event-stream")
        if "screen" in request.query_params:
            return await self.showing.events(request)
        view = request.query_params.get("view", next(iter(self.views)))
        known, ground = (None, None)
        if view in self.views:
            known, ground = await self.asked(request, view)
        if known is None:
            return Response(status_code=404 if ground or view not in self.views else 503)
        first = known

        async def texts() -> dict[str, str] | None:
            now = await self.known(first.view.name, first.where, first.language)
            return now.live if now else None

        return self.following(texts)

    def following(self, texts: Texts) -> Response:
        """An event stream of those texts."""
        return StreamingResponse(
            self.stream(texts),
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
            media_type="text/event-stream",
        )

    async def stream(self, texts: Texts) -> AsyncIterator[str]:
        """Everything once, then what changed; a beat at least every 15 s."""
        yield f"retry: {RETRY_MS}\n\n"
        told: dict[str, str] = {}
        number, spoke_at = 0, time.monotonic()
        with self.meters.watching():
            while not self.stop.is_set():
                live = await texts()
                if live is None:
                    return
                changed = {key: text for key, text in live.items() if told.get(key) != text}
                if changed:
                    number, spoke_at, told = number + 1, time.monotonic(), live
                    yield f"id: {number}\ndata: {orjson.dumps(changed).decode()}\n\n"
                elif time.monotonic() - spoke_at >= BEAT_S:
                    spoke_at = time.monotonic()
                    yield "event: beat\ndata: 1\n\n"
                await self.feed.arrival(self.settings.refresh_s)

    async def health(self, request: Request) -> Response:
        """Whether the board answers, and whether its database does."""
        look = await self.feed.look(next(iter(self.views)))
        body = {
            "status": "starting" if look is None else "ok",
            "database": "away" if look is None or look.away or self.feed.away else "ok",
        }
        return _json(body, 503 if look is None else 200)

    async def metrics(self, request: Request) -> Response:
        """For Prometheus."""
        return Response(
            generate_latest(self.meters.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )


def _json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, {"Cache-Control": "no-store"}, "application/json")


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the program that runs the board, not to the board."""
        yield


async def serve(
    stop: asyncio.Event,
    host: str,
    port: int,
    *,
    settings: Settings | None = None,
    open_pool: OpenPool = open_own_pool,
    bound: Callable[[int], None] = lambda port: None,
) -> None:
    """Serve until `stop`; `bound` hears the port, which the system chose if it was 0."""
    with socket.create_server((host, port), reuse_port=False) as listener:
        app = application(settings or Settings(), open_pool=open_pool, stop=stop)
        server = _Server(
            uvicorn.Config(
                app, log_config=None, access_log=False, server_header=False,
                timeout_graceful_shutdown=3,
            )
        )  # fmt: skip
        bound(listener.getsockname()[1])
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.should_exit = True
        await serving

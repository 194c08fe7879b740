"""Routes and caching of the board; nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import jinja2
import orjson
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dashboards.board import texts, words
from dashboards.board.feed import Feed, Look, OpenPool
from dashboards.board.guard import Guard, Meters
from dashboards.board.open_json import as_json
from dashboards.board.pages import Place
from dashboards.settings import LANGUAGES, Settings
from storage import database

RETRY_MS = 3000
BEAT_S = 15.0


@dataclass(frozen=True, slots=True)
class View:
    """One place in one language: what the template prints."""

    language: str
    words: dict[str, str]
    place: Place
    figures: dict[str, texts.FigureText]
    live: dict[str, str]


def application(
    settings: Settings,
    *,
    open_pool: OpenPool = database.open_pool,
    stop: asyncio.Event | None = None,
) -> Starlette:
    """The board as an ASGI application; `stop` ends its event streams."""
    return _Pages(settings, open_pool, stop or asyncio.Event()).starlette()


class _Pages:
    def __init__(self, settings: Settings, open_pool: OpenPool, stop: asyncio.Event) -> None:
        self.settings = settings
        self.stop = stop
        self.meters = Meters()
        self.feed = Feed(settings, open_pool, observe=self.meters.observe)
        self.views: dict[tuple[str, str], View] = {}
        self.viewed: Look | None = None
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("dashboards.board"),
            autoescape=True, trim_blocks=True, lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )  # fmt: skip
        self.template = environment.get_template("board.html")

    def starlette(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/board.json", self.data),
                Route("/events", self.events),
                Route("/healthz", self.health),
                Route("/metrics", self.metrics),
                Mount("/static", StaticFiles(packages=[("dashboards.board", "static")])),
            ],
            middleware=[
                Middleware(Guard, meters=self.meters),
                # Event streams it leaves alone.
                Middleware(GZipMiddleware, minimum_size=1000),
            ],
            lifespan=self.lifespan,
        )

    @contextlib.asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        await self.feed.close()

    def language(self, request: Request) -> str:
        asked = request.query_params.get("lang", "")
        return asked if asked in LANGUAGES else self.settings.language

    def view(self, look: Look, code: str, language: str) -> View | None:
        """Composed once per look, place and language, however many watch."""
        if look is not self.viewed:
            self.viewed, self.views = look, {}
        if (code, language) not in self.views:
            place = next((p for p in look.board.places if p.code == code), None)
            if place is None:
                return None
            figures = {
                text.key: text
                for section in place.sections
                for figure in (*section.headline, *section.others)
                for text in [texts.figure_text(figure, place.timezone, language)]
            }
            said = words.WORDS[language]
            away = ""
            if look.away:
                moment = words.moment(look.read_at, place.timezone, language)
                away = said["away"].format(moment)
            self.views[code, language] = View(
                language, said, place, figures,
                texts.live(look.board, place, figures, language, away),
            )  # fmt: skip
        return self.views[code, language]

    async def page(self, request: Request) -> Response:
        look, language = await self.feed.look(), self.language(request)
        code = request.query_params.get("territory", "")
        view = self.view(look, code, language) if look else None
        status = 503 if look is None else 404 if view is None else 200
        html = self.template.render(
            look=look, view=view, code=code, language=language, words=words.WORDS[language],
            languages={code: words.WORDS[code]["language"] for code in LANGUAGES},
            settings=self.settings, texts=texts, clock=words.clock, status=status,
        )  # fmt: skip
        headers = {"Content-Language": language, "Cache-Control": "no-store"}
        if status == 503:
            # Not the script: without data there is no stream to listen to.
            headers["Refresh"] = "5"
        return Response(html, status, headers, "text/html")

    async def data(self, request: Request) -> Response:
        look = await self.feed.look()
        if look is None:
            return Response(b'{"error":"no data yet"}', 503, media_type="application/json")
        return Response(
            orjson.dumps(as_json(look)), headers={"Cache-Control": "no-store"},
            media_type="application/json",
        )  # fmt: skip

    async def events(self, request: Request) -> Response:
        code, language = request.query_params.get("territory", ""), self.language(request)
        look = await self.feed.look()
        if look is None or self.view(look, code, language) is None:
            return Response(status_code=404 if look else 503)
        return StreamingResponse(
            self.stream(code, language),
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
            media_type="text/event-stream",
        )

    async def stream(self, code: str, language: str) -> AsyncIterator[str]:
        """Everything once, then what changed; a beat at least every 15 s."""
        yield f"retry: {RETRY_MS}\n\n"
        known: dict[str, str] = {}
        number, silent_s = 0, 0.0
        with self.meters.watching():
            while not self.stop.is_set():
                look = await self.feed.look()
                view = self.view(look, code, language) if look else None
                if view is None:
                    return
                changed = {key: text for key, text in view.live.items() if known.get(key) != text}
                if changed:
                    number, silent_s, known = number + 1, 0.0, view.live
                    yield f"id: {number}\ndata: {orjson.dumps(changed).decode()}\n\n"
                elif silent_s >= BEAT_S:
                    silent_s = 0.0
                    yield "event: beat\ndata: 1\n\n"
                silent_s += self.settings.refresh_s
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.stop.wait(), self.settings.refresh_s)

    async def health(self, request: Request) -> Response:
        look = await self.feed.look()
        body = {
            "status": "starting" if look is None else "ok",
            "database": "away" if look is None or look.away else "ok",
        }
        return Response(orjson.dumps(body), 503 if look is None else 200,
                        media_type="application/json")  # fmt: skip

    async def metrics(self, request: Request) -> Response:
        return Response(
            generate_latest(self.meters.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )


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
    open_pool: OpenPool = database.open_pool,
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

"""What a screen in a hall is answered: its slides, its style, its events; and the list of screens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from typing import Protocol
from urllib.parse import urlencode

import segno
from starlette.requests import Request
from starlette.responses import Response

from dashboards.board import language as languages
from dashboards.board import panel, screens
from dashboards.board.feed import Feed
from dashboards.board.ground import Ground
from dashboards.board.known import Known
from dashboards.board.language import Language
from dashboards.board.panel import Room
from dashboards.board.printing import Printing
from dashboards.board.sheet import Where
from dashboards.board.slide import Slide, dwell
from dashboards.board.views.view import View
from dashboards.settings import Settings
from storage.screens import Screen, capital_mm, is_open

_STYLE = "{board}\n{screen}\nhtml{{font-size:{root}}}\n"
_QUIET = 4


class Answering(Protocol):
    """What screens need of the board that answers for them."""

    settings: Settings
    views: dict[str, View]
    feed: Feed
    printing: Printing

    def language(self, request: Request) -> Language: ...

    async def ground(self) -> Ground | None: ...

    async def known(
        self, view: str, where: Where, language: Language, measure: str = ""
    ) -> Known | None: ...

    def html(self, text: str, language: Language, status: int = 200, **more: str) -> Response: ...

    def following(self, texts: Callable[[], Awaitable[dict[str, str] | None]]) -> Response: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """One slide of a screen, ready to print and to follow.

    `known` is None where every view of the screen is empty; `names` are all slides in order,
    `number` of `total` counts those of the slide's language.
    """

    screen: Screen
    where: Where
    language: Language
    room: Room
    slide: Slide
    known: Known | None
    names: tuple[str, ...]
    number: int
    total: int
    link: str
    live: dict[str, str]


class Showing:
    """The routes of screens."""

    def __init__(self, board: Answering) -> None:
        self._board = board
        # The slides of a view, for as long as what is known of it stays the same.
        self._made: dict[tuple[str, str, str, Room], tuple[Known, tuple[Slide, ...]]] = {}

    async def page(self, request: Request) -> Response:
        """``/screen/<id>``: one slide; its script fetches the next."""
        shown, ground = await self._shown(request)
        board = self._board
        if ground is None:
            language = board.language(request)
            return board.html(board.printing.nothing_yet(language), language, 503, Refresh="5")
        if shown is None:
            language = board.language(request)
            return board.html(board.printing.unknown(language), language, 404)
        asked = request.query_params
        template = "pattern.html" if "pattern" in asked else "screen.html"
        text = board.printing.screen(
            template, shown.language, shown=shown, slide=shown.slide, screen=shown.screen,
            room=shown.room, live=shown.live, where=shown.where,
            capital_mm=capital_mm(shown.screen.distance_m),
            seconds=dwell(shown.slide, shown.screen.dwell_s), qr=_code(shown.link),
            kept=panel.banner(shown.language, shown.room, "{0}"), kiosk="kiosk" in asked,
        )  # fmt: skip
        return board.html(text, shown.language)

    async def style(self, request: Request) -> Response:
        """``/screen/<id>.css``: everything in one, with the size of text on this panel."""
        screen, ground = await self._screen(request)
        if screen is None:
            return Response(status_code=404 if ground else 503)
        board_css, screen_css = (
            files("dashboards.board").joinpath("static", name).read_text("utf-8")
            for name in ("board.css", "screen.css")
        )
        text = _STYLE.format(board=board_css, screen=screen_css,
                             root=panel.room(screen).root)  # fmt: skip
        return Response(text, headers={"Cache-Control": "no-cache"}, media_type="text/css")

    async def worker(self, request: Request) -> Response:
        """``/sw.js``: it stands at the root, since it answers for what lies below it."""
        text = files("dashboards.board").joinpath("static", "sw.js").read_text("utf-8")
        return Response(text, headers={"Cache-Control": "no-cache"}, media_type="text/javascript")

    async def index(self, request: Request) -> Response:
        """``/screens``: for whoever hangs them up."""
        board, language = self._board, self._board.language(request)
        ground = await board.ground()
        if ground is None:
            return board.html(board.printing.nothing_yet(language), language, 503, Refresh="5")
        rows = []
        for screen in _all(ground):
            where = ground.where(screen.territory or "", board.settings.name)
            zone = where.timezone if where else "UTC"
            rows.append((screen, where, is_open(screen.open, board.feed.now(), zone),
                         capital_mm(screen.distance_m)))  # fmt: skip
        text = board.printing.screen("screens.html", language, rows=rows, ground=ground)
        return board.html(text, language)

    async def events(self, request: Request) -> Response:
        """What changes on the slide that is shown."""
        shown, ground = await self._shown(request)
        if shown is None:
            return Response(status_code=404 if ground else 503)

        async def texts() -> dict[str, str] | None:
            now, _ = await self._shown(request)
            return now.live if now else None

        return self._board.following(texts)

    async def _screen(self, request: Request) -> tuple[Screen | None, Ground | None]:
        name = request.path_params.get("id") or request.query_params.get("screen", "")
        ground = await self._board.ground()
        found = (screen for screen in _all(ground) if screen.id == name) if ground else iter(())
        return next(found, None), ground

    async def _shown(self, request: Request) -> tuple[Shown | None, Ground | None]:
        """(None, ground): there is no such screen; (None, None): nothing is known yet."""
        board = self._board
        screen, ground = await self._screen(request)
        where = screen and ground and ground.where(screen.territory or "", board.settings.name)
        if screen is None or ground is None or not where:
            return None, ground
        room = panel.footed(panel.room(screen), where.name)
        base = self._base(screen, request)
        programme: list[tuple[Slide, Known]] = []
        read = False
        for code in screen.spoken:
            if code not in languages.codes():
                continue
            language = languages.language(code)
            last = None
            for view in screen.views:
                known = await self._known(screen, view, where, language)
                if known is None:
                    continue
                read = True
                made = self._slides(known, room)
                programme += [(slide, known) for slide in made]
                last = known if made else last
            if last is not None:
                programme.append((screens.phone(language, room, _short(base)), last))
        if not read:
            return None, None
        language = languages.language(next(filter(languages.codes().__contains__, screen.spoken),
                                           board.settings.language))  # fmt: skip
        if not programme:
            return self._of(screen, where, language, room, base,
                            [(screens.nothing(language, room), None)], 0), ground  # fmt: skip
        number = screens.chosen([slide for slide, _ in programme],
                                request.query_params.get("slide", ""))  # fmt: skip
        slide, known = programme[number]
        view = next(iter(board.views)) if slide.view == screens.PHONE else slide.view
        link = self._link(base, view, where, known.language.code)
        return self._of(screen, where, known.language, room, link, programme, number), ground

    def _of(
        self, screen: Screen, where: Where, language: Language, room: Room, link: str,
        programme: list[tuple[Slide, Known]] | list[tuple[Slide, None]], number: int,
    ) -> Shown:  # fmt: skip
        slide, known = programme[number]
        names = tuple(one.name for one, _ in programme)
        own = [name for name in names if name.split(".")[0] == language.code]
        now = self._board.feed.now()
        live = dict(known.live) if known else {
            "clock": language.clock(now, where.timezone), "away": "", "page": "",
            "at": language.moment(now, where.timezone),
        }  # fmt: skip
        if live["away"] and known:
            moment = language.moment(known.look.read_at, where.timezone)
            live["away"] = panel.banner(language, room, moment)
        live["open.state"] = "open" if is_open(screen.open, now, where.timezone) else "closed"
        live["night"] = screens.night(now, where.timezone, screen.id)
        live["page"] = screens.fingerprint(slide, names, live["page"])
        return Shown(screen, where, language, room, slide, known, names,
                     own.index(slide.name) + 1, len(own), link, live)  # fmt: skip

    async def _known(
        self, screen: Screen, view: str, where: Where, language: Language
    ) -> Known | None:
        """What is known of a view, as this screen asks for it."""
        if view not in self._board.views:
            return None
        return await self._board.known(view, where, language, screen.measure_of(view))

    def _slides(self, known: Known, room: Room) -> tuple[Slide, ...]:
        key = (known.view.name, known.where.code, known.language.code, room)
        made = self._made.get(key)
        if made is None or made[0] is not known:
            # Of screens that nobody looks at any more, no former rows are kept.
            self._made = {
                other: one for other, one in self._made.items()
                if other[0] != known.view.name or one[0].look is known.look
            }  # fmt: skip
            made = self._made[key] = known, screens.slides(known.sheet, known.language, room)
        return made[1]

    def _base(self, screen: Screen, request: Request) -> str:
        """Where telephones reach the board; without a word of the city, as the screen does."""
        said = screen.address or self._board.settings.public_address
        if not said:
            return str(request.base_url).rstrip("/")
        return (said if "://" in said else f"http://{said}").rstrip("/")

    def _link(self, base: str, view: str, where: Where, code: str) -> str:
        board = self._board
        path = "/" if view == next(iter(board.views)) else f"/{view}"
        query = {"territory": where.code,
                 "lang": "" if code == board.settings.language else code}  # fmt: skip
        kept = urlencode({key: value for key, value in query.items() if value})
        return f"{base}{path}?{kept}" if kept else f"{base}{path}"


def _all(ground: Ground) -> tuple[Screen, ...]:
    return tuple(Screen.model_validate(one) for one in ground.said.get("screen", []))


def _short(link: str) -> str:
    """An address as people type it: the scheme goes, and the language, which pages offer.

    >>> _short("http://beffroi.ville.example/air?territory=59350&lang=de")
    'beffroi.ville.example/air?territory=59350'
    """
    path, _, query = link.partition("?")
    kept = "&".join(pair for pair in query.split("&") if pair and not pair.startswith("lang="))
    text = path.split("://", 1)[-1].rstrip("/")
    return f"{text}/?{kept}" if kept and "/" not in text else f"{text}?{kept}" if kept else text


@lru_cache(maxsize=256)
def _code(link: str) -> tuple[int, str]:
    """A QR code as its width in modules, quiet zone included, and one path."""
    matrix = segno.make(link, error="m", micro=False).matrix
    path = ""
    for y, row in enumerate(matrix, _QUIET):
        x = _QUIET
        for dark, modules in groupby(row):
            run = len(list(modules))
            path += f"M{x} {y}h{run}v1H{x}z" if dark else ""
            x += run
    return len(matrix) + 2 * _QUIET, path

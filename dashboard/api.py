"""The HTTP API: clients, and readings as CSV, JSON or Parquet."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TypeVar

from flask import Blueprint, Response, jsonify, request
from werkzeug.datastructures import MultiDict

from dashboard.activity import activity
from dashboard.engine import Engine
from dashboard.exports import Exports, Stream, TooManyExports
from telemetry.clock import Clock
from telemetry.condition import AsOf
from telemetry.export import (
    DEFAULT_START,
    ExportQuery,
    UnknownClient,
    UnknownMetric,
    subject,
)
from telemetry.interface import StoreError
from telemetry.provenance import Request
from telemetry.reading import Flag, Kind, Latest, state_text
from telemetry.rolling import StatisticError
from telemetry.shape import FORMATS, LAYOUTS, Shape, ShapeError
from telemetry.store.rendering import Cited, rendered
from telemetry.window import TimeError, Window, parse_duration, parse_time, parse_zone, to_iso

_ONCE = ("client", "start", "end", "format", "layout", "every", "tz", "manifest")
_REPEATED = ("metric", "span", "statistic")
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}


class BadArgument(ValueError):
    """An argument of the query string that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class ReadingsRequest:
    """What a caller of /api/v1/readings wants."""

    asked: Request
    manifest: bool


def create_api(engine: Engine) -> Blueprint:
    """The blueprint of /api."""
    clock = engine.clock
    api = Blueprint("api", __name__, url_prefix="/api")
    exports = Exports()

    @api.get("/v1/clients")
    def clients() -> Response:
        with engine.querier.snapshot() as snapshot:
            everything, as_of = snapshot.latest(), snapshot.as_of
        return _dated(jsonify(_clients(everything, clock())), as_of)

    @api.get("/v1/readings")
    def readings() -> Response:
        wanted = parse_request(request.args, clock())
        asked, querier = wanted.asked, engine.querier
        with exports.place() as place:
            if wanted.manifest:
                return _manifest(Cited(querier, asked), asked, clock)
            about = subject(querier, asked.query)
            body = Stream(rendered(querier, asked.query, about, asked.shape), place.pop_all())
        return _dated(_download(body, asked), about.as_of)

    @api.route("/", defaults={"rest": ""})
    @api.route("/<path:rest>")
    def unknown(rest: str) -> tuple[Response, int]:
        return jsonify(error=f"there is no /api/{rest}"), 404

    _register_errors(api)
    return api


def _register_errors(api: Blueprint) -> None:
    def bad_argument(error: Exception) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    def not_found(error: Exception) -> tuple[Response, int]:
        return jsonify(error=str(error)), 404

    def unavailable(error: Exception) -> tuple[Response, int]:
        return jsonify(error=str(error)), 503

    api.register_error_handler(BadArgument, bad_argument)
    api.register_error_handler(UnknownClient, not_found)
    api.register_error_handler(UnknownMetric, not_found)
    api.register_error_handler(StoreError, unavailable)
    api.register_error_handler(TooManyExports, unavailable)


def _dated(answer: Response, as_of: AsOf) -> Response:
    """The answer, saying of what state of the store it is."""
    answer.headers["Culex-Sequence"] = str(as_of.sequence)
    answer.headers["Culex-As-Of"] = to_iso(as_of.time_us)
    return answer


def _clients(everything: Sequence[Latest], now_us: int) -> list[dict[str, object]]:
    metrics: dict[str, list[dict[str, object]]] = defaultdict(list)
    for latest in everything:
        metrics[latest.series.client].append(_metric(latest))
    return [
        {
            "client": one.client,
            "last_received": to_iso(one.received_us),
            "simulated": one.simulated,
            "metrics": metrics[one.client],
        }
        for one in activity(everything, now_us)
    ]


def _metric(latest: Latest) -> dict[str, object]:
    return {
        "metric": latest.series.metric,
        "kind": latest.kind,
        "unit": latest.unit,
        "time": to_iso(latest.time_us),
        "value": state_text(latest.value) if latest.kind is Kind.STATE else latest.value,
        "simulated": bool(latest.flags & Flag.SIMULATED),
    }


def parse_request(arguments: "MultiDict[str, str]", now_us: int) -> ReadingsRequest:
    """The request that a query string makes.

    Raises:
        BadArgument: If an argument is missing, unknown, repeated or no such value.
    """
    _check_names(arguments)
    client = arguments.get("client", "")
    if not client:
        raise BadArgument("client is missing; name one of /api/v1/clients")
    zone = _read("tz", lambda: parse_zone(arguments["tz"]) if "tz" in arguments else UTC)
    start, end = arguments.get("start", DEFAULT_START), arguments.get("end", "now")
    start_us = _read("start", lambda: parse_time(start, now_us, zone))
    end_us = _read("end", lambda: parse_time(end, now_us, zone))
    window = _read("start, end", lambda: Window(start_us, end_us))
    every_us = _read(
        "every", lambda: parse_duration(arguments["every"]) if "every" in arguments else 0
    )
    metrics, spans, statistics = (arguments.getlist(name) for name in _REPEATED)
    query = _read("span", lambda: ExportQuery(client, window, metrics, spans, every_us, statistics))
    wanted = _one_of("format", arguments.get("format", "csv"), FORMATS)
    layout = _one_of("layout", arguments.get("layout", "long"), LAYOUTS)
    shape = _read("layout", lambda: Shape(wanted, layout, zone))
    manifest = _one_of("manifest", arguments.get("manifest", "0"), ("0", "1"))
    asked = _read("span", lambda: Request(query, shape, start, end))
    return ReadingsRequest(asked, manifest == "1")


def _check_names(arguments: "MultiDict[str, str]") -> None:
    for name in arguments:
        if name not in (*_ONCE, *_REPEATED):
            raise BadArgument(f"{name}: there is no such argument")
        if name in _ONCE and len(arguments.getlist(name)) > 1:
            raise BadArgument(f"{name}: give it once")


Value = TypeVar("Value")
Choice = TypeVar("Choice", bound=str)


def _read(name: str, read: Callable[[], Value]) -> Value:
    """What `read` makes of an argument, whose name goes into the error otherwise."""
    try:
        return read()
    except StatisticError as error:
        raise BadArgument(f"statistic: {error}") from None
    except (TimeError, ShapeError) as error:
        raise BadArgument(f"{name}: {error}") from None


def _one_of(name: str, value: str, choices: Sequence[Choice]) -> Choice:
    for choice in choices:
        if choice == value:
            return choice
    raise BadArgument(f"{name}: {value!r} is none of {', '.join(choices)}")


def _download(body: Iterator[bytes], asked: Request) -> Response:
    """Streams the body; a fault in the middle breaks the connection, so it cannot look whole."""
    answer = Response(body, content_type=_TYPES[asked.shape.format])
    answer.headers["Content-Disposition"] = f'attachment; filename="{_file_name(asked)}"'
    answer.headers["X-Accel-Buffering"] = "no"
    address = asked.manifest_address
    if address is not None:
        link = f'<{address}>; rel="describedby"; type="application/json"'  # RFC 8288
        answer.headers["Link"] = link
    return answer


def _manifest(cited: Cited, asked: Request, clock: Clock) -> Response:
    """The manifest alone, of a content that is read to its end and thrown away."""
    for _ in cited.content:
        pass
    origin = f"{request.scheme}://{request.host}{request.script_root}" if request.host else ""
    manifest = cited.manifest(clock(), origin)
    answer = Response(manifest.to_json(), content_type="application/json")
    name = f"{_file_name(asked)}.manifest.json"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return _dated(answer, manifest.about.as_of)


def _file_name(asked: Request) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", asked.query.client).strip("_") or "client"
    return f"{name}.{asked.shape.format}"

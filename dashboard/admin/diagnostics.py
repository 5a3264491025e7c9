"""The diagnostics bundle: what somebody needs to help, without readings and without secrets."""

import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from dashboard.admin.redaction import Redactor
from dashboard.admin.storage import file_sizes
from dashboard.admin.versions import versions
from telemetry.interface import Querier, Snapshot, StoreError
from telemetry.origins import Effective
from telemetry.settings import Settings
from telemetry.store.inventory import inventory
from telemetry.window import DAY_US, Window, to_iso

LOG_LINES = 2000
_LOG_BYTES = 2_000_000
_README = """What is in here
  versions.json   Culex and what it runs on
  settings.json   the settings in force, each with its origin; secrets are masked
  status.json     what the collector last said of itself, and files that cannot be read
  storage.json    the files of the history by tier, and what other files weigh
  ledger.json     what arrived in the last 24 hours by client and hour, and what became of it
  logs/           the newest lines of each log
No readings, no payloads, no secrets. Names of clients, topics and addresses may be in it.
"""


class _Pipe(io.RawIOBase):
    """Takes what is written, for somebody to fetch."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: object) -> int:
        content = bytes(part)  # type: ignore[call-overload]  # whatever zipfile has as bytes
        self._parts.append(content)
        return len(content)

    def fetch(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def bundle(
    querier: Querier, settings: Settings, effective: Sequence[Effective], now_us: int
) -> Iterator[bytes]:
    """The bundle as a ZIP file, part by part; what cannot be told is said in its place."""
    redactor = Redactor(settings)
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _members(querier, settings, effective, now_us):
            archive.writestr(f"culex-diagnostics/{name}", redactor.clean(content))
            yield pipe.fetch()
    yield pipe.fetch()


def _members(
    querier: Querier, settings: Settings, effective: Sequence[Effective], now_us: int
) -> Iterator[tuple[str, str]]:
    yield "README.txt", f"{_README}Made {to_iso(now_us)}\n"
    yield "versions.json", _json(versions())
    yield "settings.json", _json([one._asdict() for one in effective])
    yield "status.json", _told(lambda: _asked(querier, _status))
    yield "storage.json", _told(lambda: _storage(settings))
    yield "ledger.json", _told(lambda: _asked(querier, lambda one: _ledger(one, now_us)))
    for path in sorted(settings.logs_dir.glob("*.log")):
        yield f"logs/{path.name}", newest_lines(path, LOG_LINES)


def _told(tell: Callable[[], object]) -> str:
    try:
        return _json(tell())
    except StoreError as error:
        return _json({"error": str(error)})


def _asked(querier: Querier, ask: Callable[[Snapshot], object]) -> object:
    with querier.snapshot() as snapshot:
        return ask(snapshot)


def _status(snapshot: Snapshot) -> object:
    return {
        "writer": asdict(snapshot.writer()),
        "as_of": asdict(snapshot.as_of),
        "series": len(snapshot.latest()),
        "damage": [one._asdict() for one in snapshot.damage()],
    }


def _storage(settings: Settings) -> object:
    found = inventory(settings.store_path)
    return {
        "schema": found.schema,
        "sqlite": found.sqlite,
        "tiers": [one._asdict() for one in found.stocks],
        "bytes": file_sizes(settings),
    }


def _ledger(snapshot: Snapshot, now_us: int) -> object:
    day = Window(now_us - DAY_US, now_us)
    return [
        {
            "client": row.account.client, "hour": to_iso(row.account.hour_us),
            "messages": row.messages._asdict(), "readings": row.readings._asdict(),
        }
        for row in snapshot.ledger(None, day)
    ]  # fmt: skip


def newest_lines(path: Path, most: int) -> str:
    """The last lines of a log, at most so many and never more than two megabytes."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(max(0, size - _LOG_BYTES))
            content = file.read(_LOG_BYTES)
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}\n"
    lines = content.decode("utf-8", "replace").splitlines(keepends=True)
    whole = lines[1:] if size > _LOG_BYTES else lines
    return "".join(whole[-most:])


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()

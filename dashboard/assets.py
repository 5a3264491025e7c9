"""Files for browsers: compressed once for each worker, and kept by who fetched them."""

import threading
from http import HTTPStatus

from flask import Flask, Request, Response, request
from flask_compress import Compress

_ASSETS = "_dash_assets.static"
_FILES = ("/assets/", "/_dash-component-suites/")
_MOST_BYTES = 20_000_000  # of all files compressed in all ways it is three
_FOREVER = "public, max-age=31536000, immutable"


class Compressed:
    """Compressed files by what Flask-Compress calls them; nothing else is kept."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """The file, compressed before."""
        return self._kept.get(key)

    def set(self, key: str, content: bytes) -> None:
        """Keeps a file; of what is no file the key ends where its name would begin."""
        if key.endswith(";") or key in self._kept:
            return
        with self._lock:
            if self._bytes + len(content) > _MOST_BYTES:  # somebody makes names up
                self._kept, self._bytes = {}, 0
            self._kept[key] = content
            self._bytes += len(content)


def compress(server: Flask) -> None:
    """Compresses what is answered; a stream stays as it is, for it may be long."""
    server.config.update(
        COMPRESS_STREAMS=False,
        COMPRESS_CACHE_BACKEND=Compressed,
        COMPRESS_CACHE_KEY=_name,
    )
    Compress(server)

    @server.after_request
    def prepare(answer: Response) -> Response:
        """What Dash streams out of assets/ is read: each is small, and could not be compressed."""
        if request.endpoint == _ASSETS and answer.status_code == HTTPStatus.OK:
            answer.direct_passthrough = False
            answer.set_data(answer.get_data())
            if "m" in request.args:  # another file has another one
                answer.headers["Cache-Control"] = _FOREVER
        return answer


def _name(asked: Request) -> str:
    """Of a file, with the time of its last change; of anything else nothing."""
    return asked.full_path if asked.path.startswith(_FILES) else ""

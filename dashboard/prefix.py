"""The path below which the dashboard answers, where a proxy gives it no host of its own."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, has_request_context, request

Environment = dict[str, Any]  # WSGI's own
Application = Callable[[Environment, Callable[..., Any]], Iterable[bytes]]


def place(path: str) -> str:
    """A path of ours as the browser that asks now has to ask for it.

    >>> place("/client?id=boiler")
    '/client?id=boiler'
    """
    return f"{request.script_root}{path}" if has_request_context() else path


class Prefixed:
    """A WSGI application below a prefix, whether or not the proxy has taken it off the path.

    Args:
        inner: The application, to whose paths the prefix does not belong.
        prefix: Such as `/iot`.
    """

    def __init__(self, inner: Application, prefix: str) -> None:
        self._inner = inner
        self._prefix = prefix

    def __call__(self, environ: Environment, start: Callable[..., Any]) -> Iterable[bytes]:
        """The answer of the application to the rest of the path."""
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(f"{self._prefix}/"):
            path = path[len(self._prefix) :] or "/"
        return self._inner(environ | {"PATH_INFO": path, "SCRIPT_NAME": self._prefix}, start)


def answer_below(server: Flask, prefix: str) -> None:
    """Has the server answer below that prefix, and keep its cookies there; empty is none."""
    if prefix:
        server.config["SESSION_COOKIE_PATH"] = prefix
        server.wsgi_app = Prefixed(server.wsgi_app, prefix)  # type: ignore[method-assign,assignment]  # Flask's own way

"""The dashboard's web server: gunicorn with threads."""

import errno
import gc
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import ThreadWorker

from dashboard.tls import ASKING_S, READING_S, tls_options
from telemetry.existing import place_of
from telemetry.fault import Fault
from telemetry.settings import Settings

_WORKERS, _THREADS = 2, 8
_WHOLE_S = 20
_STOP_SECONDS = 2


class PortTaken(Fault):
    """The HTTP port cannot be had; the message says which setting changes it."""


def check_port(settings: Settings) -> None:
    """The HTTP port is free.

    Raises:
        PortTaken: If it is not, or the host is none of ours.
    """
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.http_host, settings.http_port))
        except OSError as error:
            taken = error.errno in {errno.EADDRINUSE, errno.EACCES}
            advice = (
                "stop what does, or set CULEX_HTTP_PORT to a free port"
                if taken
                else "set CULEX_HTTP_HOST to an address of this machine"
            )
            raise PortTaken(
                f"the dashboard cannot listen on {settings.http_host}:{settings.http_port} "
                f"({error.strerror}); {advice}"
            ) from None


def _bound_waiting(listener: socket.socket) -> None:
    """No peer holds a thread for long by sending or reading slowly.

    Accepted sockets inherit the limits of their listener (Linux: sk_clone_lock).
    """
    for option, seconds in ((socket.SO_RCVTIMEO, ASKING_S), (socket.SO_SNDTIMEO, READING_S)):
        listener.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", seconds, 0))


def _end_worker(_arbiter: Arbiter, _worker: object) -> None:
    """Ends a worker whose time to finish is over, whatever a thread of it still waits for."""
    os._exit(0)


class BoundedWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker with threads, none of which a peer holds for long by sending byte after byte.

    The limits of the sockets begin anew with each byte; this one is for the whole of what is asked.
    An answer that takes longer is not cut: only what is read ends.
    """

    def init_process(self) -> None:
        """Begins to look after connections, and works until the end."""
        self._asking: dict[Any, float] = {}  # connections of gunicorn's
        threading.Thread(target=self._look_after, daemon=True).start()
        super().init_process()

    def handle(self, conn: Any) -> Any:  # gunicorn's own
        """Takes a request from a connection and answers it."""
        self._asking[conn] = time.monotonic() + _WHOLE_S
        try:
            return super().handle(conn)
        finally:
            self._asking.pop(conn, None)

    def _look_after(self) -> None:
        while True:
            time.sleep(1)
            now_s = time.monotonic()
            for conn, until_s in list(self._asking.items()):
                if now_s > until_s:
                    self._asking.pop(conn, None)
                    with suppress(OSError):
                        # Not the socket's own, which would take the TLS of the answer along.
                        socket.socket.shutdown(conn.sock, socket.SHUT_RD)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, configured here alone: no file or variable changes it."""

    def __init__(
        self, settings: Settings, create: Callable[[], Flask], ready: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._create = create
        self._ready = ready
        super().__init__()

    def load_config(self) -> None:
        """Sets what gunicorn asks for."""
        options = {
            "bind": place_of(self._settings.http_host, self._settings.http_port),
            "worker_class": BoundedWorker,
            "workers": _WORKERS,
            "threads": _THREADS,
            "timeout": 60,
            "graceful_timeout": _STOP_SECONDS,
            "loglevel": "warning",
            "control_socket_disable": True,
            "forwarded_allow_ips": "",  # dashboard.visitor knows whom to believe
            "proc_name": "culex-dashboard",
            "when_ready": self._when_ready,
            "worker_exit": _end_worker,
            **tls_options(self._settings),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def _when_ready(self, arbiter: Arbiter) -> None:
        for listener in arbiter.LISTENERS:
            _bound_waiting(listener.sock)
        self._ready()

    def load(self) -> Flask:
        """The application, made in each worker after the fork.

        Modules and pages stay, so that collecting garbage need not look at them: a tenth of a tick.
        """
        app = self._create()
        gc.collect()
        gc.freeze()
        return app

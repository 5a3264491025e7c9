"""What takes too long for a tick: worked out beside it, and kept for a while."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from telemetry.interface import StoreError

_LOG = structlog.get_logger(__name__)

Found = TypeVar("Found")


class Slow(Generic[Found]):
    """The answer to a slow question, asked by one thread at a time and again when it is old.

    Args:
        ask: The question, told the present; it raises `StoreError` if it cannot be answered.
        keep_us: For how long an answer is new enough, in microseconds.
    """

    def __init__(self, ask: Callable[[int], Found], keep_us: int) -> None:
        self._ask = ask
        self._keep_us = keep_us
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._found: Found | None = None
        self._asked_us: int | None = None
        self.fault = ""

    def newest(self, now_us: int) -> Found | None:
        """The last answer, at once; `None` before there is one. An old one is being renewed.

        `fault` says why the last time gave none.
        """
        with self._lock:
            found = self._found
            old = self._asked_us is None or not 0 <= now_us - self._asked_us < self._keep_us
            if old and self._asking is None:
                self._asked_us = now_us
                self._asking = threading.Thread(target=self._renew, args=(now_us,), daemon=True)
                self._asking.start()
            return found

    def wait(self) -> None:
        """Returns once nobody asks any more."""
        with self._lock:
            asking = self._asking
        if asking is not None:
            asking.join()

    def _renew(self, now_us: int) -> None:
        try:
            self._found, self.fault = self._ask(now_us), ""
        except StoreError as error:
            self.fault = str(error)
        except Exception:  # the outermost loop of this thread  # noqa: BLE001
            _LOG.exception("a slow question was not answered")
            self.fault = "This cannot be counted; the dashboard's log says why"
        finally:
            with self._lock:
                self._asking = None

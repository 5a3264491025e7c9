"""What keeps an error of ours inside a callback of the network library."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import structlog

Parameters = ParamSpec("Parameters")

log = structlog.get_logger("collector.containment")


def contained(callback: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """The callback without its exceptions: each is logged with its stack, and the session goes on.

    A message whose callback fails is not acknowledged, so it comes again.
    """

    @wraps(callback)
    def call(*arguments: Parameters.args, **named: Parameters.kwargs) -> None:
        try:
            callback(*arguments, **named)
        except Exception:
            log.exception("an error of our own", callback=callback.__name__)

    return call


def leave_to_network_thread(_client: object, _userdata: object, _socket: object) -> None:
    """Paho calls this instead of writing from the thread that asked."""

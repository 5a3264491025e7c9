"""Which topic filters the broker's session may still hold from before."""

import json
from collections.abc import Iterable
from pathlib import Path

import structlog

from telemetry.files import publish_file

log = structlog.get_logger("collector.subscriptions")


class Subscriptions:
    """Remembers filters across restarts, so that those no longer configured can be given up.

    A persistent session keeps every subscription until it is unsubscribed (MQTT 5, 4.1); the
    broker cannot be asked for them.
    """

    def __init__(self, path: Path, wanted: Iterable[str]) -> None:
        self.wanted = tuple(wanted)
        self._path = path
        self._held = frozenset(_load(path))

    @property
    def known(self) -> bool:
        """Whether we have ever subscribed."""
        return bool(self._held)

    @property
    def stale(self) -> tuple[str, ...]:
        """Filters that the broker may still hold and nobody wants any more."""
        return tuple(sorted(self._held - set(self.wanted)))

    def asking(self) -> None:
        """Keeps, before the broker is asked, that it may hold both old and new filters."""
        self._keep(self._held | set(self.wanted))

    def given_up(self, filters: Iterable[str]) -> None:
        """Keeps that the broker no longer holds these."""
        self._keep(self._held - set(filters))

    def _keep(self, filters: frozenset[str]) -> None:
        if filters == self._held:
            return
        self._held = filters
        try:
            publish_file(self._path, json.dumps(sorted(filters)).encode())
        except OSError as error:
            log.warning("cannot keep the topic filters", error=str(error))


def _load(path: Path) -> list[str]:
    """The filters kept at `path`; none if it is missing or broken, which costs a stale one."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return []
    return [name for name in content if isinstance(name, str)] if isinstance(content, list) else []

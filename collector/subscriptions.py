"""Which topic filters the broker's session may still hold from before."""

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

import structlog

from telemetry.files import publish_file

_IDENTIFIERS = 268_435_455  # MQTT 5, 3.8.2.1.2

log = structlog.get_logger("collector.subscriptions")


class Subscriptions:
    """Remembers filters across restarts, so that those no longer configured can be given up.

    A persistent session keeps every subscription until it is unsubscribed (MQTT 5, 4.1); the
    broker cannot be asked for them.

    Attributes:
        wanted: The filters that are configured.
        identifiers: What the broker is to call each of them.
    """

    def __init__(self, path: Path, wanted: Iterable[str]) -> None:
        self.wanted = tuple(wanted)
        self.identifiers = identifiers(self.wanted)
        self._path = path
        self._held = frozenset(_load(path))

    @property
    def places(self) -> Mapping[int, int]:
        """The place of each filter among those wanted, counted from 1, by its identifier."""
        return {self.identifiers[name]: place for place, name in enumerate(self.wanted, 1)}

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


def identifiers(filters: Iterable[str]) -> dict[str, int]:
    """A number for each filter that is the same whatever else is configured.

    What waits at the broker keeps the identifier that its subscription had when it was published,
    even once that has another (Mosquitto 2.0.11, measured), so a number may never come to mean
    another filter: it is taken from the filter's text.

    >>> one, two = identifiers(["a/+", "b/+"]), identifiers(["b/+", "c/#"])
    >>> one["b/+"] == two["b/+"], len({*one.values(), *two.values()})
    (True, 3)
    """
    numbers: dict[str, int] = {}
    for name in filters:
        number = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
        number = number % _IDENTIFIERS + 1
        while number in numbers.values():
            number = number % _IDENTIFIERS + 1
        numbers[name] = number
    return numbers


def _load(path: Path) -> list[str]:
    """The filters kept at `path`; none if it is missing or broken, which costs a stale one."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return []
    return [name for name in content if isinstance(name, str)] if isinstance(content, list) else []

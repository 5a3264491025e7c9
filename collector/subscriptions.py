"""Which topic filters the broker's session may still hold from before."""

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from itertools import combinations
from pathlib import Path

import structlog

from telemetry.files import publish_file
from telemetry.template import meet

_IDENTIFIERS = 268_435_455  # MQTT 5, 3.8.2.1.2

log = structlog.get_logger("collector.subscriptions")


def _tell_nobody(_name: str) -> None:
    pass


class Subscriptions:
    """Remembers filters across restarts, so that those no longer configured can be given up.

    A persistent session keeps every subscription until it is unsubscribed (MQTT 5, 4.1); the
    broker cannot be asked for them.

    Attributes:
        wanted: The filters that are configured, those the broker knew first in front: if a message
            arrives for several of them, then in any case for the one that was there first.
        identifiers: What the broker is to call each of them.

    Args:
        path: Where they are remembered.
        wanted: The filters that are configured.
        refuse: Is told each filter for which the broker delivers nothing.
    """

    def __init__(
        self, path: Path, wanted: Iterable[str], refuse: Callable[[str], None] = _tell_nobody
    ) -> None:
        self._path = path
        self._refuse = refuse
        self._held = tuple(_load(path))
        self.wanted = tuple(sorted(wanted, key=self._place))
        self.identifiers = identifiers(self.wanted)

    def _place(self, name: str) -> int:
        return self._held.index(name) if name in self._held else len(self._held)

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
        return tuple(name for name in self._held if name not in self.wanted)

    def asking(self, *, identified: bool = True) -> None:
        """Keeps, before the broker is asked, that it may hold both old and new filters.

        Args:
            identified: Whether each copy of a message will say for which of them it comes.
        """
        crossing = (
            [] if identified else [pair for pair in combinations(self.wanted, 2) if meet(*pair)]
        )
        if crossing:
            log.warning(
                "what several topic filters take may be stored once for each, for the broker does "
                "not say which one a message comes for; make the topic templates disjoint",
                filters=crossing,
            )
        self._keep((*self._held, *(name for name in self.wanted if name not in self._held)))

    def refuse(self, name: str) -> None:
        """Notes that the broker delivers nothing for that filter."""
        self._refuse(name)

    def given_up(self, filters: Iterable[str]) -> None:
        """Keeps that the broker no longer holds these."""
        gone = set(filters)
        self._keep(tuple(name for name in self._held if name not in gone))

    def _keep(self, filters: tuple[str, ...]) -> None:
        if filters == self._held:
            return
        self._held = filters
        try:
            publish_file(self._path, json.dumps(filters).encode())
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

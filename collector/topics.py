"""Topic templates: which part of a topic names the client, and which the metric."""

import re
from collections.abc import Callable, Iterable
from itertools import combinations

from collector.rejection import Rejected
from telemetry.template import Match, TemplateError, TopicTemplate

NAME_CHARACTERS = 256
_CACHED_TOPICS = 20_000
_CACHED_CHARACTERS = 512  # of a topic: anybody may publish topics of 65 535 bytes
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Topics:
    """The templates in force, in the order in which they are tried.

    Raises:
        TemplateError: If there is none, or two would make the broker send a message twice.
    """

    def __init__(self, templates: Iterable[str]) -> None:
        self._templates = tuple(map(TopicTemplate, templates))
        if not self._templates:
            raise TemplateError("there is no topic template; write one under [[topics]]")
        self.filters = disjoint([template.topic_filter for template in self._templates])
        self._known: dict[str, Match] = {}

    def match(self, topic: str) -> Match:
        """What the topic names by the first template that fits.

        Raises:
            Rejected: `unmapped` if none fits; `no-client`, `no-metric`, `long-name`, `not-utf8`
                or `control-character` if one does but a name cannot be kept.
        """
        known = self._known.get(topic)
        if known is not None:
            return known
        found = self._find(topic)
        if isinstance(found, str):
            raise Rejected(found)
        if len(topic) <= _CACHED_CHARACTERS:
            self._keep(topic, found)
        return found

    def _keep(self, topic: str, found: Match) -> None:
        if len(self._known) >= _CACHED_TOPICS:
            self._known.clear()
        self._known[topic] = found

    def _find(self, topic: str) -> Match | str:
        levels = topic.split("/")
        for template in self._templates:
            match = template.match(levels)
            if match is None:
                continue
            if not match.client:
                return "no-client"
            if template.names_metric and not match.metric:
                return "no-metric"
            return name_fault(match.client) or name_fault(match.metric) or match
        return "unmapped"


def name_fault(name: str) -> str:
    r"""The reason why a client or metric cannot have that name, or an empty string.

    >>> name_fault("a b <b>"), name_fault("line\nbreak")
    ('', 'control-character')
    """
    if len(name) > NAME_CHARACTERS:
        return "long-name"
    if _SURROGATE.search(name):
        return "not-utf8"
    return "control-character" if _CONTROL.search(name) else ""


def disjoint(filters: Iterable[str]) -> tuple[str, ...]:
    """The filters without those that others cover; together they take each topic once.

    Overlapping subscriptions of one session deliver a message once for each (MQTT 5, 3.3.4).

    >>> disjoint(["clients/+", "clients/+/telemetry", "clients/+/+"])
    ('clients/+', 'clients/+/+')

    Raises:
        TemplateError: If two overlap and neither covers the other.
    """
    kept: list[str] = []
    for candidate in dict.fromkeys(filters):
        if not any(_covers(other, candidate) for other in kept):
            kept = [*(other for other in kept if not _covers(candidate, other)), candidate]
    for one, other in combinations(kept, 2):
        if _overlap(one, other):
            raise TemplateError(
                f"topic templates {one!r} and {other!r} overlap (+ stands for a hole): a message "
                "could arrive twice; change one so that they differ in a literal level"
            )
    return tuple(kept)


def _covers(one: str, other: str) -> bool:
    return _each_level(one, other, lambda a, b: a in ("+", b))


def _overlap(one: str, other: str) -> bool:
    return _each_level(one, other, lambda a, b: a == b or "+" in (a, b))


def _each_level(one: str, other: str, holds: Callable[[str, str], bool]) -> bool:
    mine, theirs = one.split("/"), other.split("/")
    return len(mine) == len(theirs) and all(map(holds, mine, theirs))

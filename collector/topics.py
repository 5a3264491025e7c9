"""Topic templates: which part of a topic names the client and which the metric."""

import re
from collections.abc import Iterable
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import NamedTuple

from collector.decoded import Place
from collector.rejection import Rejected
from telemetry.families import Format
from telemetry.template import Match, TemplateError, TopicTemplate, needed, takes

NAME_CHARACTERS = 256
_CACHED_NAMES = 8192
_CACHED_TOPICS = 20_000
_CACHED_CHARACTERS = 512  # of a topic: anybody may publish topics of 65 535 bytes
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Rule(NamedTuple):
    """A topic template, and how payloads are written on its topics.

    Attributes:
        template: Which topics.
        format: How their payloads are written.
        columns: The header of CSV payloads that bring none.
        zone: What a time without an offset is read in.
    """

    template: TopicTemplate
    format: Format = Format.AUTO
    columns: tuple[str, ...] = ()
    zone: tzinfo = UTC


class Route(NamedTuple):
    """What is known of a topic.

    Attributes:
        place: Its client and metric, and what else a decoder must know.
        format: How its payloads are written.
        subscription: The place of the one filter whose copy of a message counts.
    """

    place: Place
    format: Format
    subscription: int


class Topics:
    """The templates in force, in the order in which they are tried.

    Attributes:
        filters: What to subscribe to. Where several take a topic the broker delivers a message
            once for each (MQTT 5, 3.3.4), and the copy of the first counts.

    Args:
        rules: The templates, and how payloads are written on their topics.
        also: What else to subscribe to, so that what no template takes is seen.

    Raises:
        TemplateError: If there is none.
    """

    def __init__(self, rules: Iterable[Rule], also: Iterable[str] = ()) -> None:
        self._rules = tuple(rules)
        if not self._rules:
            raise TemplateError("there is no topic template; write one under [[topics]]")
        self.filters = needed([*(rule.template.topic_filter for rule in self._rules), *also])
        self._known: dict[str, Route] = {}
        self._refused: frozenset[str] = frozenset()

    def prefer(self, filters: Iterable[str]) -> None:
        """Lets them count in this order; before the first topic is asked for."""
        self.filters = tuple(filters)

    def refuse(self, topic_filter: str) -> None:
        """No copy comes for that filter: others count in its place. From any thread."""
        self._refused |= {topic_filter}
        self._known = {}

    def route(self, topic: str) -> Route:
        """What the topic names by the first template that fits.

        Raises:
            Rejected: `unmapped` if none fits; `no-client`, `no-metric`, `long-name`, `not-utf8`
                or `control-character` if one does but a name cannot be kept.
        """
        routes = self._known
        known = routes.get(topic)
        if known is not None:
            return known
        found = self._find(topic)
        if len(topic) <= _CACHED_CHARACTERS:
            if len(routes) >= _CACHED_TOPICS:
                routes.clear()
            routes[topic] = found
        return found

    def _find(self, topic: str) -> Route:
        levels = topic.split("/")
        for rule in self._rules:
            match = rule.template.match(levels)
            if match is not None:
                reason = _match_fault(match, rule.template)
                if reason:
                    raise Rejected(reason)
                place = Place(topic, match.client, match.metric, rule.columns, rule.zone)
                return Route(place, rule.format, self.subscription(topic))
        raise Rejected("unmapped")

    def subscription(self, topic: str) -> int:
        """The place of the first filter that takes the topic, counted from 1; 0 if none does."""
        levels, refused = topic.split("/"), self._refused
        for place, one in enumerate(self.filters, 1):
            if one not in refused and takes(one.split("/"), levels):
                return place
        return 0


def _match_fault(match: Match, template: TopicTemplate) -> str:
    if not match.client:
        return "no-client"
    if template.names_metric and not match.metric:
        return "no-metric"
    return name_fault(match.client) or name_fault(match.metric)


def name_fault(name: str) -> str:
    r"""The reason why a client or metric cannot have that name, or an empty string.

    >>> name_fault("a b <b>"), name_fault("line\nbreak")
    ('', 'control-character')
    """
    return "long-name" if len(name) > NAME_CHARACTERS else _character_fault(name)


@lru_cache(_CACHED_NAMES)
def _character_fault(name: str) -> str:
    """Cached, because the same few names come with every message; short ones only, in bounds."""
    if _SURROGATE.search(name):
        return "not-utf8"
    return "control-character" if _CONTROL.search(name) else ""

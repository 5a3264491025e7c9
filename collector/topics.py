"""Topic templates: which part of a topic names the client, and which the metric."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from collector.rejection import Rejected
from telemetry.fault import Fault

NAME_CHARACTERS = 256
_CLIENT, _METRIC = "{client}", "{metric}"
_CACHED_TOPICS = 20_000
_CACHED_CHARACTERS = 512  # of a topic: anybody may publish topics of 65 535 bytes
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class TemplateError(Fault, ValueError):
    """A topic template that cannot be used; the message names it and says what would do."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a topic names.

    Attributes:
        client: The client, exactly as it stands in the topic.
        metric: The metric, or an empty string where the payload names its metrics.
    """

    client: str
    metric: str


@dataclass(frozen=True, slots=True)
class TopicTemplate:
    """A topic with holes, such as `clients/{client}/{metric}`; a hole takes exactly one level.

    Raises:
        TemplateError: If it has not exactly one `{client}`, more than one `{metric}`, a hole
            that shares its level with other text, or a wildcard.
    """

    text: str
    levels: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.text.split("/")))
        if self.levels.count(_CLIENT) != 1 or self.levels.count(_METRIC) > 1:
            raise TemplateError(
                f"topic template {self.text!r} needs exactly one {{client}} and at most one "
                "{metric}, each a level of its own, such as clients/{client}/{metric}"
            )
        for level in self.levels:
            if level not in (_CLIENT, _METRIC) and not _is_literal(level):
                raise TemplateError(
                    f"topic template {self.text!r}: {level!r} is neither a name, nor {{client}}, "
                    "nor {metric}; write no wildcards and no other braces"
                )
        if self.text.startswith("$"):
            raise TemplateError(
                f"topic template {self.text!r} starts with $, which belongs to the broker; "
                "start it with another character"
            )

    @property
    def topic_filter(self) -> str:
        """The filter that takes every topic of this template.

        >>> TopicTemplate("clients/{client}/{metric}").topic_filter
        'clients/+/+'
        """
        return "/".join("+" if level in (_CLIENT, _METRIC) else level for level in self.levels)

    def match(self, levels: Sequence[str]) -> Match | None:
        """What a topic, given by its levels, names by this template; None if it does not fit.

        >>> TopicTemplate("clients/{client}/{metric}").match(["clients", "a b", "temp"])
        Match(client='a b', metric='temp')
        """
        if len(levels) != len(self.levels):
            return None
        names = {_CLIENT: "", _METRIC: ""}
        for mine, level in zip(self.levels, levels, strict=True):
            if mine in names:
                names[mine] = level
            elif mine != level:
                return None
        return Match(names[_CLIENT], names[_METRIC])

    @property
    def names_metric(self) -> bool:
        """Whether the metric stands in the topic."""
        return _METRIC in self.levels


def _is_literal(level: str) -> bool:
    return not any(character in level for character in "{}+#\0")


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

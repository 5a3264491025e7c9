"""Topic templates: topics with holes for the client and the metric."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from telemetry.fault import Fault

_CLIENT, _PART, _METRIC, _ANY, _PATH = "{client}", "{part}", "{metric}", "{any}", "{path}"
_HOLES = frozenset({_CLIENT, _PART, _METRIC, _ANY})


class TemplateError(Fault, ValueError):
    """A topic template that cannot be used; the message names it and says what would do."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a topic names.

    Attributes:
        client: The client, exactly as it stands in the topic; its parts are joined with slashes.
        metric: The metric, or an empty string where the payload names its metrics.
    """

    client: str
    metric: str


@dataclass(frozen=True, slots=True)
class TopicTemplate:
    """A topic with holes, such as `clients/{client}/{metric}`.

    `{client}`, `{metric}` and `{any}` take exactly one level; `{path}`, at the end, takes one or
    more and joins them with dots to a metric. `{part}` takes one level that belongs to the client's
    name beside the one by which it logs in: the device behind a gateway, the group of a node.

    Raises:
        TemplateError: If it has not exactly one `{client}`, more than one metric, a hole that
            shares its level with other text, a `{path}` that is not last, or a wildcard.
    """

    text: str
    levels: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.text.split("/")))
        if self.levels.count(_CLIENT) != 1 or self._metrics > 1:
            raise TemplateError(
                f"topic template {self.text!r} needs exactly one {{client}} and at most one "
                "{metric}, each a level of its own, such as clients/{client}/{metric}"
            )
        if _PATH in self.levels[:-1]:
            raise TemplateError(
                f"topic template {self.text!r}: {{path}} takes the rest of the topic; "
                "write it last, or {metric} for one level"
            )
        for level in self.levels:
            if level not in _HOLES and level != _PATH and not _is_literal(level):
                raise TemplateError(
                    f"topic template {self.text!r}: {level!r} is neither a name, nor {{client}}, "
                    "{part}, {metric}, {any} or {path}; write no wildcards and no other braces"
                )
        if self.text.startswith("$"):
            raise TemplateError(
                f"topic template {self.text!r} starts with $, which belongs to the broker; "
                "start it with another character"
            )

    @property
    def _metrics(self) -> int:
        return self.levels.count(_METRIC) + self.levels.count(_PATH)

    @property
    def topic_filter(self) -> str:
        """The filter that takes every topic of this template.

        >>> TopicTemplate("clients/{client}/{metric}").topic_filter
        'clients/+/+'
        >>> TopicTemplate("shellies/{client}/{path}").topic_filter
        'shellies/+/#'
        """
        return self._filled("+")

    def filter_for(self, client: str) -> str:
        """The filter that takes the topics of the client that logs in by that name.

        >>> TopicTemplate("v3/{any}/devices/{client}/up").filter_for("a")
        'v3/+/devices/a/up'
        """
        return self._filled(client)

    def _filled(self, client: str) -> str:
        filled = {_CLIENT: client, _PART: "+", _METRIC: "+", _ANY: "+", _PATH: "#"}
        return "/".join(filled.get(level, level) for level in self.levels)

    def match(self, levels: Sequence[str]) -> Match | None:
        """What a topic, given by its levels, names by this template; None if it does not fit.

        >>> TopicTemplate("clients/{client}/{metric}").match(["clients", "a b", "temp"])
        Match(client='a b', metric='temp')
        >>> TopicTemplate("shellies/{client}/{path}").match(["shellies", "a", "relay", "0"])
        Match(client='a', metric='relay.0')
        >>> TopicTemplate("spBv1.0/{part}/NDATA/{client}").match(["spBv1.0", "g", "NDATA", "n"])
        Match(client='g/n', metric='')
        """
        mine = self.levels
        rest: Sequence[str] = ()
        if mine[-1] == _PATH:
            mine, levels, rest = mine[:-1], levels[: len(mine) - 1], levels[len(mine) - 1 :]
            if not rest:
                return None
        if len(levels) != len(mine):
            return None
        clients, metric = [], ".".join(rest)
        for expected, level in zip(mine, levels, strict=True):
            if expected in (_CLIENT, _PART):
                clients.append(level)
            elif expected == _METRIC:
                metric = level
            elif expected not in (_ANY, level):
                return None
        return Match("/".join(clients) if all(clients) else "", metric)

    @property
    def names_metric(self) -> bool:
        """Whether the metric stands in the topic."""
        return self._metrics == 1


def _is_literal(level: str) -> bool:
    return not any(character in level for character in "{}+#\0")


EVERY_CLIENT = "clients/#"
"""Where each client may publish below its own name, whatever the templates take of it."""


def needed(filters: Iterable[str]) -> tuple[str, ...]:
    """The filters without those that others cover.

    >>> needed(["clients/+", "clients/+/telemetry", "clients/+/+"])
    ('clients/+', 'clients/+/+')
    >>> needed(["shellies/+/online", "shellies/+/#"])
    ('shellies/+/#',)
    """
    kept: list[str] = []
    for candidate in dict.fromkeys(filters):
        if not any(_covers(other, candidate) for other in kept):
            kept = [*(other for other in kept if not _covers(candidate, other)), candidate]
    return tuple(kept)


def _covers(one: str, other: str) -> bool:
    """Whether every topic that `other` takes is taken by `one`: a `+` there needs one here."""
    return takes(one.split("/"), other.split("/"))


def takes(mine: Sequence[str], levels: Sequence[str]) -> bool:
    """Whether a filter takes a topic, both given by their levels (MQTT 5, 4.7).

    >>> takes(["a", "+"], ["a", "b"]), takes(["a", "#"], ["a"]), takes(["a", "+"], ["a", "#"])
    (True, True, False)
    """
    if mine[-1] == "#":
        mine, levels = mine[:-1], levels[: len(mine) - 1]
    if "#" in levels or len(mine) != len(levels):
        return False
    return all(a in ("+", b) for a, b in zip(mine, levels, strict=True))


def meet(one: str, other: str) -> bool:
    """Whether there is a topic that both filters take.

    >>> meet("a/+", "+/b"), meet("a/#", "a"), meet("a/+", "b/#"), meet("a/+", "a/+/c")
    (True, True, False, False)
    """
    mine, theirs = one.split("/"), other.split("/")
    for a, b in zip(mine, theirs, strict=False):
        if "#" in (a, b):
            return True
        if a != b and "+" not in (a, b):
            return False
    rest = mine[len(theirs) :] or theirs[len(mine) :]
    return rest in ([], ["#"])

"""Topic templates: topics with holes for the client and the metric."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from telemetry.fault import Fault

_CLIENT, _METRIC = "{client}", "{metric}"


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

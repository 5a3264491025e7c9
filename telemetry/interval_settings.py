"""The settings that say how often series report, where that is not to be learned."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from telemetry.interval import IntervalRule
from telemetry.window import TimeError, parse_duration


def _interval(text: str) -> str:
    try:
        parse_duration(text)
    except TimeError as error:
        raise ValueError(str(error)) from None
    return text


class SetInterval(BaseModel):
    """One entry of `intervals` in culex.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client: str = "*"
    metric: str = "*"
    interval: Annotated[str, AfterValidator(_interval)]

    def rule(self) -> IntervalRule:
        """What it means."""
        return IntervalRule(self.client, self.metric, parse_duration(self.interval))


class IntervalSettings(BaseModel):
    """A part of `telemetry.settings.Settings`."""

    intervals: tuple[SetInterval, ...] = ()

    @property
    def interval_rules(self) -> tuple[IntervalRule, ...]:
        """The intervals that are set, in their order."""
        return tuple(one.rule() for one in self.intervals)

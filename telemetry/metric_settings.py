"""The settings that say what metrics are called, and between which limits they should be."""

from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from telemetry.thresholds import MetricRule, Thresholds

Number = Annotated[float, Field(allow_inf_nan=False)]


class SetMetric(BaseModel):
    """One entry of `metrics` in culex.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client: str = "*"
    metric: str = "*"
    label: Annotated[str, Field(max_length=80)] = ""
    alarm_below: Number | None = None
    warn_below: Number | None = None
    warn_above: Number | None = None
    alarm_above: Number | None = None

    @model_validator(mode="after")
    def _in_order(self) -> "SetMetric":
        names = ("alarm_below", "warn_below", "warn_above", "alarm_above")
        given = [(name, limit) for name in names if (limit := getattr(self, name)) is not None]
        for (low, least), (high, most) in pairwise(given):
            if least > most:
                raise ValueError(f"{low} {least:g} is more than {high} {most:g}; swap them")
        if not given and not self.label:
            raise ValueError("an entry without label and limits says nothing; add one")
        return self

    def rule(self) -> MetricRule:
        """What it means."""
        limits = (self.alarm_below, self.warn_below, self.warn_above, self.alarm_above)
        return MetricRule(self.client, self.metric, self.label.strip(), Thresholds(*limits))


class MetricSettings(BaseModel):
    """A part of `telemetry.settings.Settings`."""

    metrics: tuple[SetMetric, ...] = ()

    @property
    def metric_rules(self) -> tuple[MetricRule, ...]:
        """What is set of metrics, in order."""
        return tuple(one.rule() for one in self.metrics)

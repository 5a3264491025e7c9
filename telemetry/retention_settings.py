"""The settings that say how long things are kept."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from telemetry.retention import Keep, Policy, Retention, Rule, parse_keep
from telemetry.window import TimeError

_OUTLIVE = "keep hours as long as both, or for ever"


def _keep(text: str) -> str:
    try:
        parse_keep(text)
    except TimeError as error:
        raise ValueError(str(error)) from None
    return text


KeepTime = Annotated[str, AfterValidator(_keep)]


class KeepRule(BaseModel):
    """One entry of `retention` in culex.toml; what it does not say is as for everything else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client: str = "*"
    metric: str = "*"
    readings: KeepTime = ""
    minutes: KeepTime = ""
    hours: KeepTime = ""

    def rule(self, rest: Keep) -> Rule:
        """What it means beside what holds for everything else."""
        said = (self.readings, self.minutes, self.hours)
        pairs = zip(said, rest, strict=True)
        keep = Keep(*(parse_keep(text) if text else other for text, other in pairs))
        return Rule(self.client, self.metric, keep)


class RetentionSettings(BaseModel):
    """A part of `telemetry.settings.Settings`."""

    keep_readings: KeepTime = "90d"
    keep_minutes: KeepTime = "2y"
    keep_hours: KeepTime = "forever"
    retention: tuple[KeepRule, ...] = ()
    low_disk_mb: Annotated[int, Field(ge=0, le=1_000_000)] = 1000

    @field_validator("keep_hours")
    @classmethod
    def _hours_outlive(cls, text: str, info: ValidationInfo) -> str:
        said = [info.data.get(name, "") for name in ("keep_readings", "keep_minutes")]
        if all(said) and not Keep(*map(parse_keep, (*said, text))).outlives:
            raise ValueError(f"{text!r} is less than keep_readings or keep_minutes; {_OUTLIVE}")
        return text

    @field_validator("retention")
    @classmethod
    def _rules_outlive(
        cls, rules: tuple[KeepRule, ...], info: ValidationInfo
    ) -> tuple[KeepRule, ...]:
        said = [info.data.get(f"keep_{name}", "") for name in ("readings", "minutes", "hours")]
        rest = Keep(*map(parse_keep, said)) if all(said) else Keep()
        for number, one in enumerate(rules, 1):
            if all(said) and not one.rule(rest).keep.outlives:
                raise ValueError(
                    f"rule {number} (client {one.client!r}, metric {one.metric!r}) keeps hours "
                    f"for less than readings or minutes; {_OUTLIVE}"
                )
        return rules

    @property
    def policy(self) -> Policy:
        """What the store may hold."""
        kept = (self.keep_readings, self.keep_minutes, self.keep_hours)
        rest = Keep(*map(parse_keep, kept))
        retention = Retention(tuple(one.rule(rest) for one in self.retention), rest)
        return Policy(retention, self.low_disk_mb * 1_000_000)

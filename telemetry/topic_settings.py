"""The settings of one topic template."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from telemetry.families import Format
from telemetry.template import TopicTemplate
from telemetry.window import TimeError, parse_zone


def _template(text: str) -> str:
    return TopicTemplate(text).text


def zone_name(name: str) -> str:
    """The name of a zone, or an empty string for UTC.

    Raises:
        ValueError: If there is no such zone.
    """
    try:
        parse_zone(name or "UTC")
    except TimeError as error:
        raise ValueError(str(error)) from None
    return name


class Topic(BaseModel):
    """One topic template of culex.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    template: Annotated[str, AfterValidator(_template)]
    format: Format = Format.AUTO
    columns: tuple[str, ...] = ()
    zone: Annotated[str, AfterValidator(zone_name)] = ""

"""The settings that say where the broker is: our own, or one that exists already."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from telemetry.existing import ExistingBroker, parse_broker_url

Port = Annotated[int, Field(ge=1, le=65535)]


def _broker(url: str) -> str:
    if url:
        parse_broker_url(url)
    return url


class BrokerSettings(BaseModel):
    """A part of `telemetry.settings.Settings`."""

    mqtt_host: str = "127.0.0.1"
    mqtt_port: Port = 1883
    mqtt_tls_port: Port = 8883
    mqtt_ws_port: Port = 9001
    broker_url: Annotated[str, AfterValidator(_broker)] = ""
    broker_ca: str = ""
    broker_queue_mb: Annotated[int, Field(ge=1, le=100_000)] = 512

    @property
    def existing_broker(self) -> ExistingBroker | None:
        """The broker that is used instead of our own, if there is one."""
        return parse_broker_url(self.broker_url) if self.broker_url else None

"""Which broker the collector collects from: our own, or one that was there before."""

from functools import partial
from pathlib import Path

import structlog

from collector.connecting import load_trust
from collector.link import Endpoint
from telemetry.existing import ExistingBroker
from telemetry.login import load_existing_login, load_login
from telemetry.settings import Settings

LOOPBACK = "127.0.0.1"
"""Our broker's plain listener is on this machine alone; `mqtt_host` is what clients are told."""

_HERE = ("localhost", "127.", "::1")
_SAFE = str.maketrans("[]:/%", "_____")  # what a host may have and a file's name should not

log = structlog.get_logger("collector.endpoint")


def endpoint_of(settings: Settings) -> Endpoint:
    """The broker in force. Its login and whom to trust are read anew before each attempt."""
    broker = settings.existing_broker
    if broker is None:
        path = settings.secrets_dir / "collector.json"
        return Endpoint(LOOPBACK, settings.mqtt_port, lambda: load_login(path))
    return Endpoint(
        broker.host,
        broker.port,
        lambda: load_existing_login(settings.secrets_dir, broker),
        broker.place,
        partial(load_trust, settings.broker_ca) if broker.tls else None,
    )


def check_endpoint(endpoint: Endpoint) -> None:
    """What is missing at the start is a mistake to tell, and not to wait for.

    Raises:
        SecretError: If our login cannot be read.
        TrustError: If whom to trust cannot be read.
    """
    login = endpoint.login
    if endpoint.load_trust is not None:
        endpoint.load_trust()
    elif login.password and not endpoint.is_ours and not endpoint.host.startswith(_HERE):
        log.warning("the password goes to the broker unencrypted; write mqtts:// in broker_url")


def held_path(settings: Settings) -> Path:
    """Where the topic filters are kept that the broker in force may hold."""
    broker = settings.existing_broker
    return settings.data_dir / (_held_at(broker) if broker else "subscriptions.json")


def _held_at(broker: ExistingBroker) -> str:
    """A file of its own for each broker: what one holds says nothing of another."""
    return f"subscriptions-{broker.place.translate(_SAFE)}.json"

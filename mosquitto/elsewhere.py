"""What is not ours to do when readings come from an existing broker."""

from telemetry.fault import Fault
from telemetry.login import load_existing_login
from telemetry.settings import Settings


class BrokerElsewhere(Fault):
    """Culex's own broker is not used; the message says which is, and where to go."""


def require_own_broker(settings: Settings) -> None:
    """Our own broker is the one in force.

    Raises:
        BrokerElsewhere: If it is an existing one.
    """
    broker = settings.existing_broker
    if broker is not None:
        raise BrokerElsewhere(
            f"Culex collects from the broker at {broker.place}, which is not its own: clients are "
            "let in there; to use Culex's own broker again, leave broker_url empty"
        )


def check_login(settings: Settings) -> None:
    """Our login at an existing broker can be read.

    Raises:
        SecretError: If it cannot.
    """
    if settings.existing_broker is not None:
        load_existing_login(settings.secrets_dir, settings.existing_broker)

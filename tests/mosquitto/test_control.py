"""What happens when the plugin cannot be reached."""

import pytest

from mosquitto.control import BrokerStopped, Control, ControlError
from telemetry.login import Login
from telemetry.settings import Settings
from tests.support import Process, free_port


def test_nobody_listening_is_known_at_once() -> None:
    """A port without a broker is told apart from a broker that refuses."""
    with pytest.raises(BrokerStopped, match="no broker listens"), Control(free_port(), LOGIN):
        pass


@pytest.mark.broker
def test_refused_administrator_is_a_sentence(settings: Settings, broker: Process) -> None:
    """A broker that does not know its administrator's password is named, with what to do."""
    with (
        pytest.raises(ControlError, match="restart it"),
        Control(settings.mqtt_port, LOGIN),
    ):
        pass
    assert broker.running


LOGIN = Login("broker-admin", "wrong", "id")

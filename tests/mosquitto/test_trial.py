"""Messages on trial: what may be published, and that the real broker takes it from nobody else."""

import json

import pytest

from mosquitto.names import TRIAL
from mosquitto.provision import add_client
from mosquitto.trial import MOST_BYTES, Taken, Trial, TrialError, publish
from telemetry.daemon import pid_file
from telemetry.settings import Settings
from tests.mqtt import Peer
from tests.support import Process


@pytest.mark.parametrize(
    "topic",
    ["", "$SYS/broker/uptime", "$CONTROL/dynamic-security/v1", "a/+", "a/#", "a\nb", "a\x00b",
     "culex/ping/abc", "a" * 65_536, "a/\u202eb"],
)  # fmt: skip
def test_trial_to_a_topic_nobody_should_publish_to_is_refused(topic: str) -> None:
    """With a sentence that says what to do."""
    with pytest.raises(TrialError, match=r"; "):
        Trial(topic)


@pytest.mark.parametrize(
    "rest", [{"payload": b"x" * (MOST_BYTES + 1)}, {"qos": 3}, {"qos": -1}], ids=str
)
def test_trial_that_mqtt_or_we_do_not_carry_is_refused(rest: dict[str, object]) -> None:
    """Too long, or a quality of service that there is not."""
    with pytest.raises(TrialError):
        Trial("clients/a/m", **rest)  # type: ignore[arg-type]  # by name


@pytest.mark.broker
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_trial_reaches_who_subscribes(settings: Settings, broker: Process, qos: int) -> None:
    """At each quality of service; and afterwards its login is gone."""
    assert broker.running
    login = add_client(settings, "ear")
    with Peer(settings, (login.client, login.password)) as ear:
        ear.subscribe("clients/ear/cmd/#")
        assert publish(settings, Trial("clients/ear/cmd/x", b"\x00\xff", qos)) is Taken.TAKEN
        ear.wait_for("clients/ear/cmd/x")
    assert ear.messages == [("clients/ear/cmd/x", b"\x00\xff")]
    kept = json.loads((settings.broker_dir / "dynamic-security.json").read_bytes())
    names = {one["username"] for one in kept["clients"]}
    assert "ear" in names
    assert TRIAL not in names


@pytest.mark.broker
def test_trial_that_nobody_hears_says_so(settings: Settings, broker: Process) -> None:
    """The broker took it, and there is no subscriber."""
    assert broker.running
    assert publish(settings, Trial("clients/nobody/m", b"1")) is Taken.BY_NOBODY


@pytest.mark.broker
def test_trial_while_another_is_published_is_refused(settings: Settings, broker: Process) -> None:
    """One login serves both, so one at a time."""
    assert broker.running
    with pid_file(settings, "trial"), pytest.raises(TrialError, match="try again"):
        publish(settings, Trial("clients/a/m", b"1"))

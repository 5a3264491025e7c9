"""The link's state tells since when it is down, and the reason that came first."""

import socket
import ssl
from pathlib import Path

import pytest

from collector.connecting import TrustError
from collector.link import Endpoint, LinkWatch
from collector.properties import Malformed
from collector.reasons import LOST, explain, plain
from telemetry.login import Login, SecretError, load_login, save_login


def test_link_lost_keeps_the_first_reason_and_moment() -> None:
    """What follows from a loss does not replace its reason."""
    moments = iter((1, 2, 3, 4))
    link = LinkWatch(lambda: next(moments))
    link.up()
    link.lose("keep alive timeout")
    link.lose("connection lost")
    assert (link.state.up, link.state.since_us, link.state.reason) == (
        False,
        3,
        "keep alive timeout",
    )


def test_link_failed_attempt_renews_the_reason_not_the_moment() -> None:
    """While the link is down the newest reason is told, and since when it is down."""
    moments = iter((1, 2))
    link = LinkWatch(lambda: next(moments))
    link.fail("connection refused")
    assert (link.state.since_us, link.state.reason) == (1, "connection refused")


def test_link_that_is_refused_something_stays_up() -> None:
    """A refused subscription is told while the link is up."""
    link = LinkWatch(lambda: 1)
    link.up()
    link.limp("subscription refused: a/+")
    assert link.state.up
    assert link.state.reason == "subscription refused: a/+"


def test_link_with_several_troubles_tells_them_until_each_is_mended() -> None:
    """One reason does not hide another, and none outlives its cause."""
    link = LinkWatch(lambda: 1)
    link.up()
    link.limp("one")
    link.limp("two")
    link.limp("one")
    assert link.state.reason == "one; two"
    link.mend("one")
    link.mend("three")
    assert (link.state.up, link.state.reason) == (True, "two")
    link.lose(LOST)
    link.up()
    assert link.state.reason == ""


def test_link_without_news_keeps_its_state() -> None:
    """Whoever compares states sees no change where there is none."""
    link = LinkWatch(lambda: 1)
    link.up()
    before = link.state
    link.mend("nothing")
    assert link.state is before


def test_link_that_is_down_has_no_troubles_of_one_that_is_up() -> None:
    """Why it is down is not replaced by why it was of little use."""
    link = LinkWatch(lambda: 1)
    link.fail("connection refused")
    link.limp("the store does not keep up")
    link.mend("the store does not keep up")
    assert (link.state.up, link.state.reason) == (False, "connection refused")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (TimeoutError("the broker does not answer"), "the broker does not answer"),
        (ConnectionResetError(), LOST),
        (socket.gaierror(-2, "Name or service not known"), "the broker's name cannot be looked up"),
        (ssl.SSLError(1, "x"), "TLS with the broker fails: for an unknown reason"),
        (TrustError("cannot use broker_ca, /data/x"), "broker_ca cannot be used, see the log"),
        (Malformed("property 0x7f"), "the broker sends what is no MQTT: property 0x7f"),
        (SecretError("/data/secrets/collector.json is missing"), "our login cannot be read"),
    ],
)
def test_link_reasons_are_for_anybody_to_read(error: Exception, reason: str) -> None:
    """They say what is wrong, in plain words, and nothing of this machine."""
    assert explain(error).startswith(reason)
    assert "/data" not in explain(error)


def test_link_lost_has_one_name() -> None:
    """What the library calls unspecified is a lost connection; what it specifies is told."""
    assert plain("Unspecified error") == LOST
    assert plain("Session taken over") == "Session taken over"


def test_endpoint_login_is_the_one_in_the_file_now(tmp_path: Path) -> None:
    """A password that was replaced is taken at the next attempt."""
    path = tmp_path / "collector.json"
    endpoint = Endpoint("127.0.0.1", 1883, lambda: load_login(path))
    for password in ("old", "new"):
        save_login(path, Login("collector", password, "collector"))
        assert endpoint.login.password == password

"""Refused logins: those of one cause are one entry, which says what to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.existing import parse_broker_url
from telemetry.refusals import advice, grouped, read_detail
from tests.dashboard.broker.looks import refused


def test_refusals_of_one_host_and_reason_are_one_group() -> None:
    """Ports differ at each try; what the collector counted together counts."""
    found = grouped(
        [
            refused("not authorised", "192.0.2.9:5000", 700),
            refused("protocol error", "192.0.2.9:5001", 600),
            refused("not authorised (12 more)", "192.0.2.9:5002", 100),
        ]
    )
    assert [(one.reason, one.host, one.count) for one in found] == [
        ("not authorised", "192.0.2.9", 13),
        ("protocol error", "192.0.2.9", 1),
    ]
    assert found[0].last_us - found[0].first_us == 600_000_000


def test_client_identifiers_stay_apart() -> None:
    """Where the broker names it, each has its own entry, whatever it looks like."""
    details = ("not authorised, as a, as b (2 more)", "not authorised, as a", "not authorised")
    found = grouped([refused(detail) for detail in details])
    assert [(one.client_id, one.count) for one in found] == [("", 1), ("a", 1), ("a, as b", 2)]


@pytest.mark.parametrize(
    ("reason", "part"),
    [
        ("not authorised", "client add"),
        ("Protocol error", "ca.crt"),
        ("tlsv1 alert unknown ca", "does not trust"),
        ("certificate verify failed", "client certificate NAME"),
        ("peer did not return a certificate", "shows no certificate"),
        ("sslv3 alert certificate unknown", "does not trust"),
        ("wrong version number", "without TLS"),
        ("exceeded timeout", "never logged in"),
        ("something new", "broker.log"),
    ],
)
def test_every_reason_says_what_to_do(reason: str, part: str) -> None:
    """Also one that nobody foresaw."""
    assert part in advice(reason)


def test_refusal_at_an_existing_broker_is_not_ours_to_mend() -> None:
    """No command and no file of ours would help."""
    broker = parse_broker_url("mqtts://broker.example")
    (one,) = grouped([refused("not authorised")], broker)
    assert "broker.example:8883" in one.advice
    assert "client add" not in one.advice


@given(st.text())
def test_any_detail_is_read(detail: str) -> None:
    """Nothing that a client calls itself makes it fail, or disappear."""
    reason, client_id, count = read_detail(detail)
    assert count >= 0
    assert len(reason) + len(client_id) <= len(detail)

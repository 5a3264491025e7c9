"""Verdicts: what quarantine keeps of a message is what a replay must know."""

import orjson
import pytest

from collector.message import Message, Properties
from collector.translate import refusal
from collector.verdict import judge
from telemetry.ledger import Account

JSON = "application/json"
SIMULATED = ("simulated", "1")
LONG = ("k", "v" * 5000)
BROKEN = ("k", "\udcff")


def facts(properties: Properties) -> object:
    """What is kept beside topic and payload of a retained message that cannot be read."""
    message = Message("clients/a", b"{", 1, retain=True, properties=properties)
    _, kept = judge(message, Account("", 0), refusal("malformed-json"))
    assert kept is not None
    return orjson.loads(kept.facts)


@pytest.mark.parametrize(
    ("user", "kept"),
    [
        ((("k", "v"), SIMULATED), {"user": [["k", "v"], list(SIMULATED)]}),
        ((), {}),
        ((LONG,), {}),
        ((BROKEN,), {}),
        ((LONG, SIMULATED), {"user": [list(SIMULATED)]}),
    ],
)
def test_facts_too_much_of_user_properties_is_left_out_alone(
    user: tuple[tuple[str, str], ...], kept: dict[str, object]
) -> None:
    """That it was retained, what it is, and that it is simulated stay known."""
    assert facts(Properties(JSON, user)) == {"retain": True, "content_type": JSON} | kept


@pytest.mark.parametrize("content_type", ["x" * 5000, "\udcff"])
def test_facts_know_retained_whatever_else_is_said(content_type: str) -> None:
    """A content type that cannot be kept goes after the user properties."""
    assert facts(Properties(content_type, (LONG, SIMULATED))) == {
        "retain": True,
        "user": [list(SIMULATED)],
    }

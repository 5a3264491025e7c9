"""What is known of one client: its own, and what may be its own."""

from pathlib import Path

from telemetry.batch import Batch
from telemetry.facts import Facts, gather
from telemetry.presence import Changes, Event, EventKind
from telemetry.store import open_appender, open_querier
from tests.telemetry.builders import NOON_US, SECOND_US, SERIES, reading


def gathered(folder: Path, client: str, known: dict[str, bool] | None, *details: str) -> Facts:
    """What is known in a store with readings of the boiler, after such logins were refused."""
    at_us = NOON_US - SECOND_US
    events = [Event(at_us, EventKind.REFUSED, "", one, "192.0.2.7:1") for one in details]
    appender = open_appender(folder / "culex.db")
    appender.append(Batch([reading(at_us)], presence=Changes(events=events)))
    appender.close()
    querier = open_querier(folder / "culex.db")
    try:
        with querier.snapshot() as snapshot:
            return gather(snapshot, client, NOON_US, known)
    finally:
        querier.close()


def test_refusal_under_the_name_of_another_client_is_not_its_own(tmp_path: Path) -> None:
    """The other has a login, or readings; a name that nobody has may be anybody's."""
    details = ("a, as wpass", f"a, as {SERIES.client}", "a, as tank", "a, as tnak", "a")
    facts = gathered(tmp_path, "tank", {"tank": True, "wpass": True}, *details)
    assert {one.client_id for one in facts.refusals} == {"tank", "tnak", ""}


def test_login_is_known_only_where_somebody_says_so(tmp_path: Path) -> None:
    """Nobody knows logins at an existing broker, or without access.db."""
    unknown = gathered(tmp_path, "tank", None)
    assert (unknown.registered, unknown.disabled) == (None, False)
    shut = gathered(tmp_path, "tank", {"tank": False})
    assert (shut.registered, shut.disabled) == (True, True)
    nobody = gathered(tmp_path, "tank", {"pump": True})
    assert (nobody.registered, nobody.disabled) == (False, False)
    assert nobody.names == {"pump", SERIES.client}

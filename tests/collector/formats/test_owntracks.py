"""OwnTracks: messages in the shapes of its documentation."""

import pytest

from collector.rejection import Rejected
from telemetry.families import Family
from telemetry.reading import Kind
from tests.collector.formats.arriving import arrive, is_silent, kinds, measured, reasons, route

OWNTRACKS = Family.OWNTRACKS
TOPIC = "owntracks/jane/phone"


def test_owntracks_location_gives_position_motion_and_battery() -> None:
    """At the time of the fix; triggers, networks and regions describe."""
    payload = {
        "_type": "location",
        "acc": 75,
        "alt": 13,
        "batt": 67,
        "bs": 2,
        "cog": 270,
        "conn": "w",
        "created_at": 1376715400,
        "inregions": ["Home"],
        "lat": 48.858,
        "lon": 2.295,
        "m": 1,
        "p": 101.2,
        "rad": 50,
        "SSID": "attic",
        "BSSID": "e6:8d:8c:4b:be:f7",
        "t": "u",
        "tid": "JP",
        "topic": TOPIC,
        "tst": 1376715317,
        "vac": 10,
        "vel": 54,
    }
    decoded = arrive(OWNTRACKS, TOPIC, payload)
    assert measured(decoded) == {
        "acc": (75.0, "m"),
        "alt": (13.0, "m"),
        "batt": (67.0, "%"),
        "bs": ("charging", ""),
        "cog": (270.0, "°"),
        "conn": ("wifi", ""),
        "lat": (48.858, "°"),
        "lon": (2.295, "°"),
        "p": (101.2, "kPa"),
        "vac": (10.0, "m"),
        "vel": (54.0, "km/h"),
    }
    assert {m.time_us for m in decoded.measurements} == {1_376_715_317_000_000}
    assert route(OWNTRACKS, TOPIC).place.client == "jane/phone"


def test_owntracks_vehicle_gives_what_it_measures() -> None:
    """A tracker in a vehicle has voltages and an ignition; its number plate describes."""
    payload = {
        "_type": "location",
        "tst": 1406803894,
        "dist": 189,
        "trip": 279122,
        "ubatt": 4.1,
        "uext": 13.8,
        "ign": True,
        "rpm": 900,
        "imei": "490154203237518",
        "vin": "WBA00000000000000",
    }
    assert measured(arrive(OWNTRACKS, "owntracks/gw/K2", payload)) == {
        "dist": (189.0, "m"),
        "trip": (279122.0, "m"),
        "ubatt": (4.1, "V"),
        "uext": (13.8, "V"),
        "ign": (1.0, ""),
        "rpm": (900.0, ""),
    }


@pytest.mark.parametrize(("event", "value"), [("enter", 1.0), ("leave", 0.0)])
def test_owntracks_transition_is_a_boolean_of_the_region(event: str, value: float) -> None:
    """Whether one is in a region, since the time of the event."""
    payload = {
        "_type": "transition",
        "wtst": 1425042603,
        "lat": 12.34,
        "lon": 44.5,
        "tst": 1427634603,
        "acc": 130,
        "tid": "JP",
        "event": event,
        "desc": "my restaurant",
        "t": "b",
    }
    (measurement,) = arrive(OWNTRACKS, f"{TOPIC}/event", payload).measurements
    assert (measurement.metric, measurement.value) == ("region.my restaurant", value)
    assert (measurement.kind, measurement.time_us) == (Kind.BOOLEAN, 1_427_634_603_000_000)


def test_owntracks_steps_are_read() -> None:
    """The pedometer answers with a count and a distance over an interval."""
    payload = {
        "_type": "steps",
        "tst": 1400455130,
        "from": 1400451530,
        "to": 1400455130,
        "steps": 1234,
        "distance": 876,
    }
    assert measured(arrive(OWNTRACKS, f"{TOPIC}/step", payload)) == {
        "steps": (1234.0, ""),
        "distance": (876.0, "m"),
    }


def test_owntracks_last_will_is_a_note_without_a_time() -> None:
    """Its `tst` is when the app came, not when it went."""
    decoded = arrive(OWNTRACKS, TOPIC, {"_type": "lwt", "tst": 1376715317})
    assert kinds(decoded) == ["offline"]
    assert decoded.notes[0].time_us is None


@pytest.mark.parametrize(
    "payload",
    [
        {"_type": "waypoint", "desc": "Home", "lat": 1.0, "lon": 2.0, "rad": 50, "tst": 1376715317},
        {"_type": "waypoints", "waypoints": [{"_type": "waypoint"}]},
        {"_type": "cmd", "action": "reportLocation"},
        {"_type": "card", "name": "Jane", "face": "iVBORw0KGgo=", "tid": "JP"},
        {"_type": "configuration", "host": "example.org", "port": 8883},
        {"_type": "status", "iOS": {"version": "19.1"}},
        {"_type": "transition", "event": "enter", "tst": 1427634603},
        {"_type": "transition", "event": "dwell", "desc": "Home", "tst": 1427634603},
        {"_type": ["location"]},
        {},
    ],
)
def test_owntracks_message_that_holds_no_reading_is_silent(payload: object) -> None:
    """Places, cards, commands and settings are neither readings nor faults."""
    assert is_silent(arrive(OWNTRACKS, TOPIC, payload))


def test_owntracks_encrypted_message_is_rejected_as_such() -> None:
    """Nobody here has the key; that it came must be seen."""
    with pytest.raises(Rejected, match=r"^encrypted$"):
        arrive(OWNTRACKS, TOPIC, {"_type": "encrypted", "data": "9FcfB3pFYFWiXHlq"})


def test_owntracks_hostile_location_costs_only_its_bad_parts() -> None:
    """Wrong types and a bad time leave what can be read."""
    payload = {
        "_type": "location",
        "tst": "soon",
        "lat": "1,5",
        "lon": 2,
        "bs": [2],
        "conn": {"w": 1},
    }
    decoded = arrive(OWNTRACKS, TOPIC, payload)
    assert reasons(decoded) == [("bad-time", "tst"), ("decimal-comma", "lat")]
    assert [m.metric for m in decoded.measurements] == ["lon", "conn.w"]
    region = {"_type": "transition", "event": "enter", "desc": "a\u0000b", "tst": 1427634603}
    assert reasons(arrive(OWNTRACKS, TOPIC, region)) == [("control-character", "region.a\0b")]


@pytest.mark.parametrize("payload", ["C2,561ebac3,v,50123456,65987654,0,0,11,0,5232", "[]", "{"])
def test_owntracks_payload_that_is_no_object_is_rejected(payload: str) -> None:
    """The short form of old trackers is not read."""
    with pytest.raises(Rejected):
        arrive(OWNTRACKS, TOPIC, payload)

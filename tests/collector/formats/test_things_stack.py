"""The Things Stack: messages in the shapes of its documentation."""

import pytest

from collector.decoded import Note, NoteKind
from collector.rejection import Rejected
from telemetry.families import Family
from telemetry.reading import Flag
from tests.collector.formats.arriving import arrive, is_silent, measured, reasons, route

STACK = Family.THINGS_STACK
UP = "v3/app1@ttn/devices/dev1/up"
IDS = {"device_id": "dev1", "application_ids": {"application_id": "app1"}, "dev_addr": "00BCB929"}


def uplink(decoded: object, **changes: object) -> dict[str, object]:
    """An uplink heard by two gateways."""
    message = {
        "session_key_id": "AXA50tHUGUucuzS/bCGMNw==",
        "f_cnt": 1,
        "f_port": 1,
        "frm_payload": "gkHe",
        "decoded_payload": decoded,
        "rx_metadata": [
            {"gateway_ids": {"gateway_id": "gtw2"}, "rssi": -101, "snr": -3.2},
            {
                "gateway_ids": {"gateway_id": "gtw1", "eui": "9C5C8E00001A05C4"},
                "time": "2020-02-12T15:15:45.787Z",
                "timestamp": 2463457000,
                "rssi": -35,
                "channel_rssi": -35,
                "snr": 5,
            },
        ],
        "settings": {"data_rate": {"lora": {"bandwidth": 125000, "spreading_factor": 7}}},
        "consumed_airtime": "0.056576s",
        "received_at": "2020-02-12T15:15:45.789585559Z",
    }
    return {
        "end_device_ids": IDS,
        "correlation_ids": ["as:up:01E0WZGT6Y7657CPFPE5WEYDSQ"],
        "received_at": "2020-02-12T15:15:46.014773143Z",
        "uplink_message": {**message, **changes},
    }


def test_things_stack_uplink_gives_fields_and_the_best_signal() -> None:
    """The decoded payload, the strongest gateway and the frame counter."""
    payload = uplink(
        {"temperature": 1.0, "luminosity": 0.64, "gps": {"lat": 48.5}, "bytes": [1, 2]}
    )
    decoded = arrive(STACK, UP, payload)
    assert measured(decoded) == {
        "temperature": (1.0, ""),
        "luminosity": (0.64, ""),
        "gps.lat": (48.5, ""),
        "rssi": (-35.0, "dBm"),
        "snr": (5.0, "dB"),
        "f_cnt": (1.0, ""),
    }
    assert {m.time_us for m in decoded.measurements} == {1_581_520_545_789_585}
    assert {m.flags for m in decoded.measurements} == {0}
    assert route(STACK, UP).place.client == "dev1"


def test_things_stack_time_in_the_decoded_payload_wins() -> None:
    """A device that sends what it measured earlier is believed; the signal is of now."""
    decoded = arrive(STACK, UP, uplink({"ts": 1581500000, "level": 2.5}))
    assert {m.metric: m.time_us for m in decoded.measurements} == {
        "level": 1_581_500_000_000_000,
        "rssi": 1_581_520_545_789_585,
        "snr": 1_581_520_545_789_585,
        "f_cnt": 1_581_520_545_789_585,
    }


def test_things_stack_field_of_the_device_wins_over_the_signal() -> None:
    """A device may report an rssi of its own."""
    decoded = arrive(STACK, UP, uplink({"rssi": -90}))
    assert measured(decoded) == {"rssi": (-90.0, ""), "snr": (5.0, "dB"), "f_cnt": (1.0, "")}


def test_things_stack_uplink_without_formatter_or_counter_still_tells_of_the_link() -> None:
    """Zero is left out of messages, so the first frame has no counter."""
    payload = uplink(None, rx_metadata=[])
    message = payload["uplink_message"]
    assert isinstance(message, dict)
    del message["f_cnt"], message["received_at"]
    decoded = arrive(STACK, UP, payload)
    assert measured(decoded) == {"f_cnt": (0.0, "")}
    assert [m.time_us for m in decoded.measurements] == [1_581_520_546_014_773]


def test_things_stack_simulated_uplink_is_flagged() -> None:
    """A message that somebody made in the console is no measurement of the world."""
    decoded = arrive(STACK, UP, {**uplink({"ts": 1581500000, "a": 1}), "simulated": True})
    assert {m.flags for m in decoded.measurements} == {Flag.SIMULATED}


def test_things_stack_join_is_a_note() -> None:
    """A device that joined is there, since the application server heard of it."""
    payload = {
        "end_device_ids": IDS,
        "received_at": "2020-02-17T07:49:09.935284891Z",
        "join_accept": {
            "session_key_id": "AXBSH1Pk6Z0G166RlH16CQ==",
            "received_at": "2020-02-17T07:49:09.736532315Z",
        },
    }
    decoded = arrive(STACK, "v3/app1@ttn/devices/dev1/join", payload)
    assert list(decoded.notes) == [Note(NoteKind.ONLINE, "", "joined", 1_581_925_749_935_284)]
    assert not decoded.measurements


def test_things_stack_solved_location_is_read() -> None:
    """A location service's answer has its accuracy; where it came from describes."""
    payload = {
        "end_device_ids": IDS,
        "received_at": "2020-02-17T10:32:24Z",
        "location_solved": {
            "service": "lora-cloud",
            "location": {
                "latitude": 37.97,
                "longitude": 23.72,
                "accuracy": 20,
                "source": "SOURCE_GPS",
            },
        },
    }
    assert measured(arrive(STACK, "v3/app1/devices/dev1/location/solved", payload)) == {
        "location.latitude": (37.97, "°"),
        "location.longitude": (23.72, "°"),
        "location.accuracy": (20.0, "m"),
    }


def test_things_stack_downlink_holds_nothing() -> None:
    """What is sent to a device is no reading, on a template of one's own as well."""
    payload = {"received_at": "2020-02-17T10:32:24Z", "downlink_ack": {"f_port": 15, "f_cnt": 1}}
    assert is_silent(arrive(STACK, UP, payload))


def test_things_stack_hostile_uplink_costs_only_its_bad_parts() -> None:
    """Wrong types everywhere leave the good field."""
    payload = uplink(
        {"good": 1, "bad": "21,5", "list": [1, 2]},
        rx_metadata=[5, {"rssi": "loud"}, {"rssi": None, "snr": 2}],
        received_at="soon",
        f_cnt={"a": 1},
    )
    payload["received_at"] = 5
    decoded = arrive(STACK, UP, payload)
    assert reasons(decoded) == [
        ("decimal-comma", "bad"),
        ("array", "list"),
        ("unsupported", "f_cnt"),
    ]
    assert [m.metric for m in decoded.measurements] == ["good", "rssi"]
    assert is_silent(arrive(STACK, UP, {"uplink_message": []})) is False


@pytest.mark.parametrize("payload", [" ", "[]", "5", "{"])
def test_things_stack_payload_that_is_no_object_is_rejected(payload: str) -> None:
    """Events are objects."""
    with pytest.raises(Rejected):
        arrive(STACK, UP, payload)

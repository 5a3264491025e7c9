"""Shelly, second generation and later: messages in the shapes of its documentation."""

import pytest

from collector.decoded import FIELDS
from collector.rejection import Rejected
from telemetry.families import Family
from telemetry.reading import Flag, Kind
from tests.collector.formats.arriving import arrive, is_silent, kinds, measured, reasons

SHELLY = Family.SHELLY
EVENTS = "shellypro4pm-f008d1d8b8b8/events/rpc"

SWITCH = {
    "id": 0,
    "source": "timer",
    "output": True,
    "timer_started_at": 1626935739.79,
    "timer_duration": 60,
    "apower": 8.9,
    "voltage": 237.5,
    "current": 0.041,
    "freq": 50.0,
    "pf": 0.91,
    "aenergy": {"total": 6.532, "by_minute": [45.199, 47.141, 88.397], "minute_ts": 1626935779},
    "ret_aenergy": {"total": 0.5, "by_minute": [0, 0, 0], "minute_ts": 1626935779},
    "temperature": {"tC": 23.5, "tF": 74.4},
    "errors": ["overpower"],
}
MEASURED_SWITCH = {
    "switch:0.output": (1.0, ""),
    "switch:0.apower": (8.9, "W"),
    "switch:0.voltage": (237.5, "V"),
    "switch:0.current": (0.041, "A"),
    "switch:0.freq": (50.0, "Hz"),
    "switch:0.pf": (0.91, ""),
    "switch:0.aenergy.total": (6.532, "Wh"),
    "switch:0.ret_aenergy.total": (0.5, "Wh"),
    "switch:0.temperature.tC": (23.5, "°C"),
}


def notification(method: str, **params: object) -> dict[str, object]:
    """A frame as a client publishes it."""
    source = "shellypro4pm-f008d1d8b8b8"
    return {"src": source, "dst": f"{source}/events", "method": method, "params": params}


def test_shelly_rpc_status_of_a_component_names_its_metrics() -> None:
    """The component is in the topic; timers, minutes and °F again are left out."""
    decoded = arrive(SHELLY, "desk/status/switch:0", SWITCH)
    assert measured(decoded) == MEASURED_SWITCH
    assert {m.time_us for m in decoded.measurements} == {None}


def test_shelly_rpc_notification_gives_the_same_series_with_its_time() -> None:
    """`ts` is in seconds with a fraction."""
    frame = notification("NotifyStatus", ts=1736603810.49, **{"switch:0": SWITCH})
    decoded = arrive(SHELLY, EVENTS, frame)
    assert measured(decoded) == MEASURED_SWITCH
    assert {m.time_us for m in decoded.measurements} == {1_736_603_810_490_000}


def test_shelly_rpc_full_status_of_a_battery_client_gives_what_it_measures() -> None:
    """What runs the client is left out but for its memory, uptime and signal."""
    frame = notification(
        "NotifyFullStatus",
        ts=1752192302.55,
        ble={},
        cloud={"connected": False},
        mqtt={"connected": True},
        ws={"connected": False},
        ht_ui={},
        sys={
            "mac": "84FCE63AD204",
            "restart_required": False,
            "time": "21:05",
            "unixtime": 1752192302,
            "uptime": 2,
            "ram_size": 259812,
            "ram_free": 153964,
            "cfg_rev": 11,
            "available_updates": {"stable": {"version": "1.6.2"}},
            "wakeup_reason": {"boot": "deepsleep_wake", "cause": "periodic"},
        },
        wifi={"sta_ip": "192.0.2.9", "status": "got ip", "ssid": "attic", "rssi": -54},
        **{
            "devicepower:0": {
                "id": 0,
                "battery": {"V": 5.32, "percent": 65},
                "external": {"present": False},
            },
            "humidity:0": {"id": 0, "rh": 58.9},
            "temperature:0": {"id": 0, "tC": 22.5, "tF": 72.5},
        },
    )
    assert measured(arrive(SHELLY, EVENTS, frame)) == {
        "sys.uptime": (2.0, "s"),
        "sys.ram_free": (153964.0, "B"),
        "wifi.rssi": (-54.0, "dBm"),
        "devicepower:0.battery.V": (5.32, "V"),
        "devicepower:0.battery.percent": (65.0, "%"),
        "devicepower:0.external.present": (0.0, ""),
        "humidity:0.rh": (58.9, "%"),
        "temperature:0.tC": (22.5, "°C"),
    }


def test_shelly_rpc_meters_have_their_units() -> None:
    """Of three phases, with sums, and the energy counters beside them."""
    meter = {
        "id": 0,
        "a_current": 4.029,
        "a_voltage": 236.1,
        "a_act_power": 951.2,
        "a_aprt_power": 951.9,
        "a_pf": 1.0,
        "a_freq": 50.0,
        "n_current": None,
        "total_current": 11.116,
        "total_act_power": 2484.782,
        "user_calibrated_phase": [],
    }
    decoded = arrive(SHELLY, "meter/status/em:0", meter)
    assert [note.metric for note in decoded.notes] == ["em:0.n_current"]
    assert {m.metric: m.unit for m in decoded.measurements} == {
        "em:0.a_current": "A",
        "em:0.a_voltage": "V",
        "em:0.a_act_power": "W",
        "em:0.a_aprt_power": "VA",
        "em:0.a_pf": "",
        "em:0.a_freq": "Hz",
        "em:0.total_current": "A",
        "em:0.total_act_power": "W",
    }
    counters = {"id": 0, "a_total_act_energy": 100.5, "total_act": 300.2, "total_act_ret": 0.1}
    assert measured(arrive(SHELLY, "meter/status/emdata:0", counters)) == {
        "emdata:0.a_total_act_energy": (100.5, "Wh"),
        "emdata:0.total_act": (300.2, "Wh"),
        "emdata:0.total_act_ret": (0.1, "Wh"),
    }


def test_shelly_rpc_cover_input_and_virtual_component() -> None:
    """A cover's state, a pulse counter and a number that a script sets."""
    cover = {
        "id": 0,
        "source": "UI",
        "state": "opening",
        "current_pos": 40,
        "last_direction": "open",
    }
    assert measured(arrive(SHELLY, "blind/status/cover:0", cover)) == {
        "cover:0.state": ("opening", ""),
        "cover:0.current_pos": (40.0, "%"),
    }
    pulses = {"id": 2, "counts": {"total": 17, "by_minute": [1, 0, 2], "minute_ts": 1710000000}}
    assert measured(arrive(SHELLY, "meter/status/input:2", pulses)) == {
        "input:2.counts.total": (17.0, "")
    }
    number = {"value": 21.5, "source": "rpc", "last_update_ts": 1710000000}
    assert measured(arrive(SHELLY, "desk/status/number:200", number)) == {"number:200": (21.5, "")}


def test_shelly_rpc_button_event_is_a_state_at_its_own_time() -> None:
    """A push has a time of its own; changed settings are no events of the world."""
    frame = notification(
        "NotifyEvent",
        ts=1736603811.2,
        events=[
            {"component": "input:0", "id": 0, "event": "single_push", "ts": 1736603811.0},
            {"component": "input:0", "id": 0, "event": "config_changed", "ts": 1736603811.0},
            {"component": "sys", "event": "ota_progress", "msg": "Downloading", "ts": 1736603811.0},
            {"component": "script:1", "id": 1, "event": "shelly-blu", "data": {"rssi": -60}},
        ],
    )
    (measurement,) = arrive(SHELLY, EVENTS, frame).measurements
    assert (measurement.metric, measurement.value, measurement.kind) == (
        "input:0.event",
        "single_push",
        Kind.STATE,
    )
    assert measurement.time_us == 1_736_603_811_000_000


@pytest.mark.parametrize(
    "frame",
    [
        notification("NotifyStatus", ts=1736604020.06, cloud={"connected": True}),
        notification("NotifyStatus", ts=1736605194.11, sys={"cfg_rev": 35}),
        notification("NotifyStatus", ts=1736605194.11, **{"script:1": {"id": 1, "running": True}}),
        {"id": 1, "src": "desk", "dst": "me", "result": {"was_on": True}},
        {},
    ],
)
def test_shelly_rpc_frame_that_only_describes_holds_nothing(frame: object) -> None:
    """It is neither reading nor fault."""
    assert is_silent(arrive(SHELLY, EVENTS, frame))


@pytest.mark.parametrize("component", ["mqtt", "ble", "cloud", "script:1", "ws"])
def test_shelly_rpc_status_of_what_runs_the_client_holds_nothing(component: str) -> None:
    """Connections and scripts are no measurements."""
    decoded = arrive(SHELLY, f"desk/status/{component}", {"id": 1, "connected": True})
    assert is_silent(decoded)


def test_shelly_rpc_time_before_the_clock_is_set_is_flagged() -> None:
    """A client without network time counts from its start."""
    frame = notification("NotifyStatus", ts=12.5, **{"input:0": {"id": 0, "state": True}})
    (measurement,) = arrive(SHELLY, EVENTS, frame).measurements
    assert (measurement.time_us, measurement.flags) == (None, Flag.CLOCK_UNSET)


def test_shelly_rpc_hostile_frame_costs_only_its_bad_parts() -> None:
    """Wrong types and a bad time leave what can be read."""
    frame = notification("NotifyStatus", ts="soon", **{"switch:0": 5, "pm1:0": {"apower": "1,5"}})
    assert reasons(arrive(SHELLY, EVENTS, frame)) == [
        ("bad-time", "ts"),
        ("decimal-comma", "pm1:0.apower"),
    ]
    events: list[object] = [{"component": "input:0", "event": {"a": 1}}, 5, None]
    events += [{"component": "input:0", "event": "x"}] * 1000
    decoded = arrive(SHELLY, EVENTS, notification("NotifyEvent", events=events))
    assert reasons(decoded) == [("unsupported", "input:0.event"), ("too-many-fields", "")]
    assert len(decoded.measurements) == FIELDS - 3
    assert is_silent(arrive(SHELLY, EVENTS, {"method": "NotifyStatus", "params": [1]}))
    assert is_silent(arrive(SHELLY, EVENTS, {"method": ["NotifyStatus"], "params": {}}))


@pytest.mark.parametrize("payload", ["on", "[]", "{", " "])
def test_shelly_rpc_payload_that_is_no_object_is_rejected(payload: str) -> None:
    """Notifications are objects."""
    with pytest.raises(Rejected):
        arrive(SHELLY, EVENTS, payload)


def test_shelly_rpc_online_is_a_note() -> None:
    """Birth and last will are `true` and `false`."""
    assert kinds(arrive(SHELLY, "desk/online", "false")) == ["offline"]

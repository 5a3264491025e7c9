"""The application: callbacks answer what a browser sends, and malformed bodies end in 400."""

import json
from typing import Any

import pytest
from dash import Dash
from flask import Flask
from flask.testing import FlaskClient

from dashboard.app import create_app
from telemetry.batch import Batch
from telemetry.settings import Settings
from telemetry.store import open_appender
from tests.dashboard.pictures import every
from tests.dashboard.visits import callback_headers
from tests.telemetry.builders import NOON_US, SECOND_US, fill

CALLBACK = "/_dash-update-component"
CHART = '{"chart":"client"}'


def dependency(person: FlaskClient, found_in: str, asked_by: str = "") -> dict[str, Any]:
    """The callback whose output names that component, and one of whose inputs that property."""
    known = person.get("/_dash-dependencies").get_json()
    return next(
        one
        for one in known
        if found_in in one["output"]
        and not one["clientside_function"]
        and any(asked_by in part["property"] for part in one["inputs"])
    )


def addressed(part: str) -> dict[str, object]:
    """An output as a browser names it: what looks like JSON is an identifier of several parts."""
    name, found = part.rsplit(".", 1)
    return {"id": json.loads(name) if name.startswith("{") else name, "property": found}


def sent(
    person: FlaskClient, found_in: str, values: dict[str, object], asked_by: str = ""
) -> dict[str, Any]:
    """The body a browser sends to run that callback."""
    one = dependency(person, found_in, asked_by)
    output = one["output"]
    ids = [part for part in output.strip(".").split("...") if part]
    outputs = [addressed(part) for part in ids]

    def filled(parts: list[dict[str, str]]) -> list[dict[str, object]]:
        return [part | {"value": values.get(part["id"])} for part in parts]

    first = one["inputs"][0]
    return {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "inputs": filled(one["inputs"]),
        "state": filled(one["state"]),
        "changedPropIds": [f"{first['id']}.{first['property']}"],
    }


def run(person: FlaskClient, body: object) -> Any:
    """What the callback answers."""
    return person.post(CALLBACK, json=body, headers=callback_headers(person))


def test_application_is_set_up_before_its_first_requests_come_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that asks for a script never meets a Dash that another thread is setting up."""
    server = create_app(settings)

    def late(_app: Dash) -> str:
        raise AssertionError("set up in a request")

    monkeypatch.setattr(Dash, "_generate_scripts_html", late)
    monkeypatch.setattr(Dash, "_walk_assets_directory", late)
    assert server.test_client().get("/login").status_code == 200


def test_page_of_an_address_is_shown(person: FlaskClient) -> None:
    """Each page has its address, and any other says that it is none."""
    for path, expected in (("/client", "Export CSV"), ("/x<b>", "no such")):
        body = sent(person, "page.", {"place": {"path": path, "search": "?id=a%2Fb"}})
        assert expected in run(person, body).text, path


def test_tick_is_answered_with_a_figure_then_with_the_ends_of_its_lines(
    person: FlaskClient, settings: Settings
) -> None:
    """The first answer draws, the next only brings what is new; each acknowledges its tick."""
    fill(settings.store_path, every(10 * SECOND_US, 30))
    asked = {"view": {"clients": ["boiler"]}, "theme": "light", "zone": "UTC", "width": 900}
    values: dict[str, object] = {"client-ask": asked | {"number": 7}}
    first = run(person, sent(person, "client-tiles", values)).get_json()["response"]
    assert first["ack"]["data"] == 7
    assert len(first[CHART]["figure"]["data"]) > 2 * len(settings.spans)
    appender = open_appender(settings.store_path)
    appender.append(Batch([every(SECOND_US, 1)[0]._replace(time_us=NOON_US - 1)]))
    appender.close()
    values = {"client-ask": asked | {"number": 8}, "drawn": first["drawn"]["data"]}
    again = sent(person, "client-tiles", values)
    second = run(person, again).get_json()["response"]
    assert second["ack"]["data"] == 8
    assert CHART not in second, "ends of lines alone"
    assert second["client-ends"]["data"]["tails"]
    assert "options" not in second.get('{"choice":"client"}', {})


@pytest.mark.parametrize("junk", [[], "x", 3, True, {"client": 3, "zone": []}, [1]])
def test_tick_with_junk_in_every_part_is_still_answered(
    person: FlaskClient, settings: Settings, junk: object
) -> None:
    """What a browser keeps may be anything: the tick is acknowledged."""
    fill(settings.store_path, every(10 * SECOND_US, 3))
    asked = dict.fromkeys(("view", "theme", "zone", "width", "touch"), junk) | {"number": 1}
    values: dict[str, object] = {"client-ask": asked, "drawn": junk}
    answer = run(person, sent(person, "client-tiles", values))
    assert answer.status_code == 200
    assert answer.get_json()["response"]["ack"]["data"] == 1


@pytest.mark.parametrize(
    "body",
    ["[]", "{}", "null", '"x"', "3", "not JSON", "", '{"output": 1}', '{"output": "a.b"}',
     '{"output": ["a"]}', '{"output": {"a": 1}}', "\ud800".encode("utf-8", "surrogatepass")],
)  # fmt: skip
def test_callback_body_that_names_none_of_ours_is_400(
    person: FlaskClient, body: str | bytes
) -> None:
    """A malformed body is the sender's fault, and is told nothing of our source."""
    headers = callback_headers(person) | {"Content-Type": "application/json"}
    answer = person.post(CALLBACK, data=body, headers=headers)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_callback_with_wrong_parts_tells_nothing_of_our_source(person: FlaskClient) -> None:
    """A body that names a callback and fits it not ends without a traceback in the answer."""
    body = sent(person, "client-tiles", {}) | {"inputs": "x", "state": 3}
    answer = run(person, body)
    assert answer.status_code >= 400
    assert "Traceback" not in answer.text
    assert "dashboard/" not in answer.text


def test_zoom_comes_back_as_a_fixed_view(person: FlaskClient) -> None:
    """A drag on the chart becomes times in UTC."""
    dragged = {"xaxis.range[0]": "2026-11-23 12:00", "xaxis.range[1]": "2026-11-23 13:00"}
    known = {"view": {}, "browser": {"zone": "Europe/Berlin"}, "dragged": dragged}
    body = sent(person, "view.data@", known, "data")
    view = run(person, body).get_json()["response"]["view"]["data"]
    assert (view["start"], view["end"]) == (
        "2026-11-23T11:00:00.000000Z",
        "2026-11-23T12:00:00.000000Z",
    )


def test_callbacks_never_read_the_whole_figure(person: FlaskClient) -> None:
    """No callback has the figure as input or state: a browser would send it back each tick."""
    known = person.get("/_dash-dependencies").get_json()
    for one in (one for one in known if not one["clientside_function"]):
        for part in one["inputs"] + one["state"]:
            assert part["property"] != "figure"


def test_page_asks_no_other_host(person: FlaskClient) -> None:
    """Every script and style of the document comes from here."""
    document = person.get("/client").text
    assert "https://" not in document
    assert "//cdn" not in document


def test_applications_made_twice_share_nothing(settings: Settings, app: Flask) -> None:
    """The factory may be called again: importing and making have no side effects."""
    other = create_app(settings, lambda: NOON_US)
    assert other is not app
    assert other.secret_key == app.secret_key
    assert {rule.rule for rule in other.url_map.iter_rules()} == {
        rule.rule for rule in app.url_map.iter_rules()
    }


def test_application_made_before_any_store_opens_nothing(settings: Settings, app: Flask) -> None:
    """Making it touches neither the store nor the broker."""
    assert app.name == "dashboard"
    assert not settings.store_path.exists()


def test_path_that_is_no_page_says_so_in_its_status(person: FlaskClient) -> None:
    """Dash answers every path with its index; only those of the page table are 200."""
    paths = ("/", "/client", "/nowhere")
    assert [person.get(path).status_code for path in paths] == [200, 200, 404]

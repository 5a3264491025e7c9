"""Programs to paste: each has what a client needs, and no text breaks out of its place."""

import ast
import json
import re
import shlex
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.clients.snippets import Login, Snippet, snippets
from tests.telemetry.builders import steady

PLAIN = Login("boiler-2", "0a1b2c", "broker.example", 8883, "-----BEGIN CERTIFICATE-----")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
READ_AS_JSON = ("node", "esp32", "zigbee2mqtt")


def by_key(login: Login) -> dict[str, Snippet]:
    """The snippets by their short words."""
    return {one.key: one for one in snippets(login)}


@pytest.mark.parametrize("key", ["shell", "python", "node", "esp32", "tasmota", "zigbee2mqtt"])
def test_snippet_has_all_that_a_client_needs(key: str) -> None:
    """Host, port, name and password; there are six, and each says what to do first."""
    found = by_key(PLAIN)
    assert len(found) == 6
    for text in ("broker.example", "8883", "boiler-2", "0a1b2c"):
        assert text in found[key].text
    assert found[key].before.endswith((".", "paho-mqtt", "mqtt"))


def strings(key: str, text: str) -> list[str]:
    """The texts in a program, as what runs it reads them."""
    if key == "shell":
        return shlex.split(text)
    if key == "python":
        nodes = ast.walk(ast.parse(text))
        return [node.value for node in nodes if isinstance(node, ast.Constant)]  # type: ignore[misc]  # numbers, too
    program = text.rpartition(")PEM")[2]  # a certificate stands in no quotes of this kind
    return [json.loads(one) for one in QUOTED.findall(program.removeprefix('"'))]


@steady
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20))
def test_password_of_any_characters_is_one_text(password: str) -> None:
    """Culex makes up passwords without any that are special; these would be read right, too."""
    login = Login("boiler", password, "broker.example", 8883, "")
    found = by_key(login)
    for key in ("shell", "python", *READ_AS_JSON):
        assert password in strings(key, found[key].text), key
    address = urlsplit(login.address)
    assert unquote(address.password or "") == password
    assert (address.hostname, address.port, address.username) == ("broker.example", 8883, "boiler")


def test_host_of_ipv6_stands_in_brackets_in_addresses() -> None:
    """And bare where it is no part of one."""
    login = Login("boiler", "0a1b2c", "fd00::7", 8883, "")
    assert login.address == "mqtts://boiler:0a1b2c@[fd00::7]:8883?clientId=boiler"
    found = by_key(login)
    for key in ("node", "zigbee2mqtt"):
        assert '"mqtts://[fd00::7]:8883"' in found[key].text
    assert "-h fd00::7 -p 8883" in found["shell"].text
    assert 'client.connect("fd00::7", 8883)' in found["python"].text


def test_name_of_digits_is_a_text_in_yaml() -> None:
    """Zigbee2MQTT would refuse a number."""
    text = by_key(Login("007", "1234", "broker.example", 8883, ""))["zigbee2mqtt"].text
    assert 'user: "007"\n  password: "1234"\n  client_id: "007"\n' in text


def test_client_that_shows_a_certificate_is_told_its_files() -> None:
    """Where settings ask for one."""
    found = by_key(Login("boiler", "0a1b2c", "broker.example", 8883, "", shows=True))
    for key in ("shell", "python", "node"):
        assert "boiler.crt" in found[key].text
        assert "boiler.key" in found[key].before

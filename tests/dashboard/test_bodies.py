"""What a browser sent is read with the texts and numbers that a browser has."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.bodies import BodyReader
from tests.dashboard.test_rights import CALLBACK, call_of, dash_of, served
from tests.dashboard.visits import callback_headers


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (b"9007199254740991", (1 << 53) - 1),
        (b"-9007199254740991", 1 - (1 << 53)),
        (b"9007199254740993", float(1 << 53)),
        (b"-9223372036854775809", -float(1 << 63)),
        (b"18446744073709551615", float(1 << 64)),
        (b'{"a": [1180591620717411303424]}', {"a": [float(1 << 70)]}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
    ],
)
def test_whole_number_that_no_browser_has_is_a_float(app: Flask, text: bytes, read: object) -> None:
    """As it is there; every other value is what it was."""
    found = BodyReader(app).loads(text)
    assert (found, type(found)) == (read, type(read))


@pytest.mark.parametrize(
    "text", ["NaN", "-Infinity", "1e400", "9" * 5000, '"\\ud800"', '"\\udc00\\ud800"', "[" * 5000]
)
def test_text_that_no_browser_writes_is_refused(app: Flask, person: FlaskClient, text: str) -> None:
    """What is no number, and what has no bytes, is no call of a callback: 400, no traceback."""
    with pytest.raises(ValueError, match="line 1"):
        BodyReader(app).loads(text)
    output, entry = next(iter(served(dash_of(app)).items()))
    body = json.dumps(call_of(output, entry, "here")).replace('"here"', text)
    headers = callback_headers(person) | {"Content-Type": "application/json"}
    answer = person.post(CALLBACK, data=body, headers=headers)
    assert answer.status_code == 400
    assert "no such callback" in answer.get_json()["error"]

"""What a browser sent is read with the texts and numbers that a browser has."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

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


values = st.recursive(
    st.none() | st.booleans() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(1 << 70), 1 << 70) | st.integers(-(1 << 53) - 9, (1 << 53) + 9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@given(values)
def test_numbers_within_any_value_are_those_of_a_browser(value: object) -> None:
    """Also beside long ones, in texts and behind points; what was a whole number stays one."""
    expected = json.loads(json.dumps(value), parse_int=lambda text: _rounded(int(text)))
    found = BodyReader(Flask(__name__)).loads(json.dumps(value))
    assert repr(found) == repr(expected)


def _rounded(number: int) -> float:
    return number if abs(number) < 1 << 53 else float(number)


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

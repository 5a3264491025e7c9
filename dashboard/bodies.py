"""What a browser sent: how it is read, and whether it calls a callback, before Dash sees it."""

from collections.abc import Mapping
from typing import Any, TypeGuard

import orjson
from flask.json.provider import DefaultJSONProvider

Json = dict[str, Any]  # Any: what was sent

_MOST = (1 << 53) - 1


class BodyReader(DefaultJSONProvider):
    """Reads JSON with the texts and numbers that a browser has.

    A whole number beyond ECMA-262's MAX_SAFE_INTEGER is a float, as it is there: whoever looks for
    an integer finds none. SQLite could not take it, nor could the answer.
    """

    def loads(self, s: str | bytes, **changes: Any) -> Any:  # Any: Flask's own
        """What was sent.

        Raises:
            ValueError: If it is no JSON, or has halves of surrogates or numbers that are none.
        """
        orjson.loads(s)  # the json of Python takes NaN, and texts that have no bytes
        return super().loads(s, parse_int=_whole, **changes)


def _whole(text: str) -> float:
    number = int(text)
    return number if abs(number) <= _MOST else float(number)


def is_call(body: object, entry: Mapping[str, Any]) -> TypeGuard[Json]:
    """Whether a body names the outputs, inputs and state of a callback as Dash keeps it."""
    return (
        isinstance(body, dict)
        and _are_texts(body.get("changedPropIds"))
        and _are_outputs(body.get("outputs"), str(body.get("output")))
        and _are_those(body.get("inputs"), entry["inputs"])
        and _are_those(body.get("state", []), entry["state"])
    )


def _are_texts(sent: object) -> bool:
    return isinstance(sent, list) and all(isinstance(one, str) for one in sent)


def _are_outputs(sent: object, called: str) -> bool:
    """Whether they are those that the callback's name is made of: `..a.children...b.value..`."""
    many = called.startswith("..")
    parts = called.strip(".").split("...") if many else [called]
    wanted = [dict(zip(("id", "property"), part.rsplit(".", 1), strict=True)) for part in parts]
    return isinstance(sent, list) is many and _are_those(sent if many else [sent], wanted)


def _are_those(sent: object, wanted: list[Json]) -> bool:
    return isinstance(sent, list) and len(sent) == len(wanted) and all(map(_is_that, sent, wanted))


def _is_that(sent: object, wanted: Json) -> bool:
    if not (isinstance(sent, dict) and _is_sent(sent)):
        return False
    is_written_alike = sent.get("id") == wanted["id"] and sent.get("property") == wanted["property"]
    return is_written_alike or _name(sent) == _name(wanted)


def _is_sent(one: Json) -> bool:
    """Whether its identifier is as browsers send it: one of several parts is no text there."""
    return not (isinstance(one.get("id"), str) and one["id"].startswith("{"))


def _name(one: Json) -> tuple[str, str] | None:
    """Identifier and property, in one way of writing; Dash knows several."""
    found, prop = one.get("id"), one.get("property")
    if isinstance(found, str) and found.startswith("{"):
        try:
            found = orjson.loads(found)
        except orjson.JSONDecodeError:
            return None
    if isinstance(found, dict):
        found = orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()
    if not (isinstance(found, str) and isinstance(prop, str)):
        return None
    return found, prop.partition("@")[0]  # behind @ stands which callback of several it is

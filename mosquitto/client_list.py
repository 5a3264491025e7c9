"""A CSV list of clients to be added, as somebody wrote it in a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from typing import Final

from mosquitto.access import PUBLISHER, ROLES
from mosquitto.detail import DetailError, entered
from mosquitto.names import NameRefused, check_name
from mosquitto.provision import Permit
from telemetry.fault import Fault

COLUMNS: Final = ("name", "role", "description", "serial_number", "mac_address", "tags", "notes")
_MOST = 10_000


class ListRefused(Fault, ValueError):
    """A list that cannot be used; the message names the line."""

    exit_code = 2


def read_list(lines: Iterable[str]) -> dict[str, Permit]:
    """The clients of a list by their names; its first line names the columns, `name` among them.

    Raises:
        ListRefused: If a line is no client, names one again, or a column is unknown.
    """
    rows = csv.DictReader(lines, strict=True)
    found: dict[str, Permit] = {}
    try:
        _check_columns(rows.fieldnames or ())
        for row in rows:
            name, permit = _permit(row)
            _put(found, name, permit)
    except UnicodeDecodeError:
        raise ListRefused("the list is not UTF-8; save it as that") from None
    except (csv.Error, NameRefused, DetailError, ListRefused) as error:
        raise ListRefused(f"line {rows.line_num or 1}: {error}") from None
    if not found:
        raise ListRefused("the list has no clients; write their names below a line that says name")
    return found


def _check_columns(names: Sequence[str]) -> None:
    if "name" not in names:
        raise ListRefused(f"there is no column name; the columns can be {', '.join(COLUMNS)}")
    if len(set(names)) < len(names):
        raise ListRefused("a column stands there twice; leave one out")
    unknown = [name for name in names if name not in COLUMNS]
    if unknown:
        raise ListRefused(f"there is no column {unknown[0]!r} of clients; use {', '.join(COLUMNS)}")


def _put(found: dict[str, Permit], name: str, permit: Permit) -> None:
    if name in found:
        raise ListRefused(f"{name} is there already")
    if len(found) == _MOST:
        raise ListRefused(f"a list has at most {_MOST} clients; split it")
    found[name] = permit


def _permit(row: dict[str, str]) -> tuple[str, Permit]:
    if None in row or None in row.values():
        raise ListRefused("it has not as many fields as the first line")
    name, role = check_name(row["name"].strip()), (row.get("role") or PUBLISHER).strip()
    if role not in ROLES:
        raise ListRefused(f"{role!r} is no role; use {' or '.join(ROLES)}")
    return name, Permit(role, detail=entered(name, row))

"""Versions that have faults one should know of."""

import platform
import re
from collections.abc import Iterator
from typing import NamedTuple

from telemetry.finding import Finding, Severity
from telemetry.installed import find_program, version_of
from telemetry.store.head import SQLITE_VERSION
from telemetry.version import VERSION

FAIL, WARN, OK = Severity.FAIL, Severity.WARN, Severity.OK

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?")


class Fault(NamedTuple):
    """What is wrong with versions of a program before one.

    Attributes:
        program: The program.
        before: The first version without it.
        severity: How bad it is here.
        words: What it is, and how Culex lives with it.
        remedy: What to do, or an empty string.
    """

    program: str
    before: tuple[int, int, int]
    severity: Severity
    words: str
    remedy: str = ""


_UPDATE = "update Mosquitto to 2.0.18 or newer"
FAULTS = (
    Fault("Mosquitto", (2, 0, 0), FAIL, "it has no dynamic-security plugin", _UPDATE),
    Fault(
        "Mosquitto", (2, 0, 12), OK,
        "it admits one connection more than max_connections, and takes a keep-alive of 0 from "
        "MQTT 3.1.1 clients, so that one that dies is noticed late",
    ),
    Fault(
        "Mosquitto", (2, 0, 16), OK,
        "figures below $SYS that do not change vanish after a minute; Culex keeps them",
    ),
    Fault(
        "SQLite", (3, 51, 3), OK,
        "two processes that checkpoint at once can damage a store; here the collector alone does, "
        "so let no other program write culex.db",
    ),
)  # fmt: skip


def check_versions() -> Iterator[Finding]:
    """What runs here, and what is known of it."""
    seen = f"Culex {VERSION} on Python {platform.python_version()}, {platform.system()}"
    yield Finding("culex", OK, seen)
    yield from told("SQLite", SQLITE_VERSION)
    program = find_program()
    if program is None:
        remedy = "install it, for example with sudo apt-get install mosquitto"
        yield Finding("mosquitto", FAIL, "Mosquitto is not installed", remedy=remedy)
        return
    yield from told("Mosquitto", version_of(program) or "of an unknown version")


def told(program: str, version: str) -> Iterator[Finding]:
    """What is known of a version; one finding, as bad as the worst fault it has."""
    known = [one for one in FAULTS if one.program == program and _parts(version) < one.before]
    order = list(Severity)
    severity = min((one.severity for one in known), key=order.index, default=OK)
    words = "; ".join(one.words for one in known)
    remedy = next((one.remedy for one in known if one.remedy), "")
    seen = f"{program} {version}" + (f": {words}" if words else "")
    yield Finding(program.lower(), severity, seen, remedy=remedy)


def _parts(version: str) -> tuple[int, int, int]:
    match = _VERSION.search(version)
    if match is None:
        return (9999, 0, 0)
    return int(match[1]), int(match[2]), int(match[3] or 0)

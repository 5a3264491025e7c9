"""Publishes that the broker refused, on their way from its log to the store.

Mosquitto says of them only in its log, so its supervisor leaves them in a folder, a file each
second at most, and the collector, which alone writes the store, takes them from there. What is
taken is gone: a collector that is killed before it has committed loses that second.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from telemetry.files import make_owned

MOST_FILES = 60
"""So many wait for a collector that is away; then the supervisor counts on and leaves no more."""

MOST_KINDS = 100
"""What is told apart in one file; of others only the number is told."""

_LARGEST = 1_000_000
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_DETAIL = re.compile(
    rf"(?P<topic>{_QUOTED})(?: as (?P<who>{_QUOTED}))?(?: \((?P<more>\d{{1,9}}) more\))?", re.S
)


class Denial(NamedTuple):
    """A publish that the broker refused, or several alike.

    Attributes:
        time_us: When the supervisor read of the last of them, in microseconds since 1970 UTC.
        parts: Client identifier and topic. Both can hold what stands between them in the log; then
            there are more than two parts, and where the topic begins is not known. Empty for
            those that are only counted.
        times: How many.
    """

    time_us: int
    parts: tuple[str, ...]
    times: int


class Denied(NamedTuple):
    """What the event of a refused publish says.

    Attributes:
        topic: The topic that was refused.
        client_id: The client identifier, or an empty string where the event names the client.
        times: How many.
    """

    topic: str
    client_id: str = ""
    times: int = 1


def leave(folder: Path, denials: Iterable[Denial], name_us: int) -> bool:
    """Leaves them for the collector; False if so many wait that there is no room.

    Not synced: nothing waits for it but the next look, and the reader of the log must not wait.

    Raises:
        OSError: If the folder cannot be written.
    """
    make_owned(folder, 0o700)
    if sum(1 for _ in folder.glob("*.json")) >= MOST_FILES:
        return False
    sibling = folder / f".{name_us:017d}.tmp"
    sibling.write_text(json.dumps([*denials]), encoding="ascii")
    sibling.rename(folder / f"{name_us:017d}.json")
    return True


def take(folder: Path) -> list[Denial]:
    """What was left there, oldest first; it is gone from there. No files are none.

    What is no list of denials goes too, untold: nobody else writes there.
    """
    found: list[Denial] = []
    for path in sorted(folder.glob("*.json"))[:MOST_FILES]:
        with suppress(OSError):
            text = path.read_bytes()[:_LARGEST]
            path.unlink()
            found += _read(text)
    return found


def _read(text: bytes) -> Iterator[Denial]:
    with suppress(ValueError, TypeError):  # half a file, or not ours
        for time_us, parts, times in json.loads(text)[: MOST_KINDS + 1]:
            yield Denial(int(time_us), tuple(map(str, parts)), int(times))


def detail_of(denied: Denied) -> str:
    r"""The detail of an event, quoted, since a topic may look like the rest of it.

    >>> detail_of(Denied("clients/other/t")), detail_of(Denied('a" as "b', "thief"))
    ('"clients/other/t"', '"a\\" as \\"b" as "thief"')
    """
    who = f" as {json.dumps(denied.client_id, ensure_ascii=False)}" if denied.client_id else ""
    return json.dumps(denied.topic, ensure_ascii=False) + who


def read_detail(detail: str) -> Denied | None:
    """What a detail says, or None if it is none.

    >>> read_detail('"clients/other/t" as "thief" (4 more)')
    Denied(topic='clients/other/t', client_id='thief', times=4)
    """
    match = _DETAIL.fullmatch(detail)
    if match is None:
        return None
    with suppress(ValueError):
        who = json.loads(match["who"]) if match["who"] else ""
        return Denied(json.loads(match["topic"]), who, int(match["more"] or 1))
    return None


def possible(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Client identifier and topic, for each place where the topic can begin.

    >>> list(possible(["boiler", "clients/other/t"]))
    [('boiler', 'clients/other/t')]
    """
    for at in range(1, len(parts)):
        yield _BETWEEN.join(parts[:at]), _BETWEEN.join(parts[at:])


_BETWEEN = " (d0, q0, r0, m0, '"
"""What stands between them; its digits are not kept, so a name that holds it is known to nobody."""

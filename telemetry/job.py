"""A job: what a command asks of the one process that writes the store."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from telemetry.fault import Fault
from telemetry.quarantine import Choice
from telemetry.retention import Keep, Retention, Rule

Value = int | str | Sequence[str] | Sequence[Mapping[str, int | str]]
Result = Mapping[str, Value]
"""What became of a job: `{"erased": 3}`, or `{"error": sentence}`."""


_HINTS = ("form", "client", "metric", "zone", "client_tag", "precision")
_UNKNOWN = "this is no job that this version of Culex knows; update both to the same"


Tell = Callable[[str, int, int], object]
"""Is told what is being done, how much of it is done, and how much there is: 0 if unknown."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Tells nobody."""


class JobError(Fault):
    """A job that cannot be handed over or was not done; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Erase:
    """Removes the readings of `client`, of those that carry one of `flags`, or of both.

    Attributes:
        client: Whose readings; `None` for every client.
        flags: Only readings with one of these flags; 0 for all.

    Raises:
        JobError: If it names neither: nobody means everything.
    """

    client: str | None = None
    flags: int = 0

    def __post_init__(self) -> None:
        if self.client is None and not self.flags:
            raise JobError("an erase job must name a client or flags")


@dataclass(frozen=True, slots=True)
class Replay:
    """Decodes what is in quarantine again, with the topic templates of today.

    Attributes:
        choice: Which messages.
        dry_run: Only counts what would become of them.
    """

    choice: Choice = field(default_factory=Choice)
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Seal:
    """Moves readings that were measured before `end_us` out of the head, into blocks."""

    end_us: int


@dataclass(frozen=True, slots=True)
class Compact:
    """Makes one of the blocks of each day and month that ended by `before_us`."""

    before_us: int


@dataclass(frozen=True, slots=True)
class Import:
    """Brings what files hold into the history.

    Attributes:
        paths: Files, and folders of files; absolute.
        received_us: When readings arrived of which no file says it: now.
        latest_us: A reading of a later time is none.
        form: What kind of files they are, or empty to find out.
        client: Whose readings they are, where nothing in a file says so.
        metric: What was measured, likewise.
        zone: In which zone times without an offset are.
        columns: Which column is the `time`, `client`, `metric`, `value` or `unit`: pairs.
        client_tag: Which tag of line protocol is the client; empty for the usual ones.
        precision: The unit of times in line protocol, or empty.
    """

    paths: tuple[str, ...]
    received_us: int
    latest_us: int
    form: str = ""
    client: str = ""
    metric: str = ""
    zone: str = "UTC"
    columns: tuple[tuple[str, str], ...] = ()
    client_tag: str = ""
    precision: str = ""


@dataclass(frozen=True, slots=True)
class Retain:
    """Leaves out of the history what `retention` says is over at `now_us`."""

    now_us: int
    retention: Retention


StoreJob = Erase | Seal | Compact | Import | Retain
"""What the owner of the store does; the collector alone does the rest."""

Job = StoreJob | Replay


def content_of(job: Job) -> dict[str, object]:
    """The job as a JSON object."""
    if isinstance(job, Replay):
        return {"action": "replay", **asdict(job.choice), "dry_run": job.dry_run}
    return {"action": type(job).__name__.lower(), **asdict(job)}


def job_of(content: Mapping[str, object]) -> Job:
    """The job that a JSON object says.

    Raises:
        JobError: If it says none.
    """
    match content:
        case {"action": "erase", "client": str() | None as client, "flags": int(flags)} if (
            0 <= flags < 1 << 31
        ):
            return Erase(client, flags)
        case {"action": "seal", "end_us": int(end_us)}:
            return Seal(end_us)
        case {"action": "compact", "before_us": int(before_us)}:
            return Compact(before_us)
        case {"action": "retain", "now_us": int(now_us), "retention": dict(retention)}:
            return Retain(now_us, _retention(retention))
        case {
            "action": "replay",
            "reason": str() | None as reason,
            "topic": str() | None as topic,
            "dry_run": bool(dry_run),
        }:
            return Replay(Choice(reason, topic), dry_run)
        case {"action": "import"}:
            return _import_of(content)
    raise JobError(_UNKNOWN)


def _import_of(content: Mapping[str, object]) -> Import:
    """A job to import, with nothing but texts and numbers in it."""
    match content:
        case {
            "paths": [*paths],
            "received_us": int(received_us),
            "latest_us": int(latest_us),
            "columns": [*columns],
        }:
            hints = {name: str(content.get(name, "")) for name in _HINTS}
            pairs = tuple(_pair(one) for one in columns)
            return Import(tuple(map(str, paths)), received_us, latest_us, columns=pairs, **hints)
    raise JobError(_UNKNOWN)


def _pair(value: object) -> tuple[str, str]:
    match value:
        case [str(role), str(name)]:
            return role, name
    raise JobError(_UNKNOWN)


def _retention(content: Mapping[str, Any]) -> Retention:
    try:
        rules = tuple(
            Rule(str(one["client"]), str(one["metric"]), Keep(*one["keep"]))
            for one in content["rules"]
        )
        return Retention(rules, Keep(*content["rest"]))
    except (KeyError, TypeError):
        raise JobError("this retain job does not say how long things are kept") from None

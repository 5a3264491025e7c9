"""A job: what a command asks of the one process that writes the store."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from telemetry.fault import Fault
from telemetry.quarantine import Choice

Result = Mapping[str, int | str]
"""What became of a job: `{"erased": 3}`, or `{"error": sentence}`."""


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


StoreJob = Erase | Seal | Compact
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
        case {
            "action": "replay",
            "reason": str() | None as reason,
            "topic": str() | None as topic,
            "dry_run": bool(dry_run),
        }:
            return Replay(Choice(reason, topic), dry_run)
    raise JobError("this is no job that this version of Culex knows; update both to the same")

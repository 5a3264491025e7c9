"""What the collector says of itself, read from its store and its PID file."""

from contextlib import closing
from dataclasses import asdict, dataclass

from telemetry.condition import WriterState
from telemetry.daemon import process_of
from telemetry.interface import StoreMissing
from telemetry.settings import Settings
from telemetry.store import open_querier
from telemetry.window import to_iso


@dataclass(frozen=True, slots=True)
class Status:
    """Whether the collector runs, and what it last reported.

    Attributes:
        process: Its process identifier, or None if it does not run.
        state: What it left in the store.
    """

    process: int | None
    state: WriterState

    def as_record(self) -> dict[str, object]:
        """The status as one flat JSON object."""
        return {"running": self.process is not None, "process": self.process, **asdict(self.state)}

    def as_text(self) -> str:
        """The status as a short block for people."""
        state = self.state
        link = "up" if state.broker_up else f"down ({state.broker_reason or 'unknown'})"
        if state.broker_up and state.broker_reason:
            link = f"up, but {state.broker_reason}"
        if state.broker:
            link = f"{state.broker} {link}"
        return "\n".join(
            [
                f"collector  {self._life()}",
                f"broker     {link}, since {_moment(state.broker_since_us)}",
                f"store      {state.store_reason or self._storing()}",
                f"last beat  {_moment(state.beat_us)}",
                f"rejected   {state.rejected}",
            ]
        )

    def _storing(self) -> str:
        if self.process is not None:
            return "storing"
        return "nothing yet" if self.state.beat_us is None else "not storing while it is stopped"

    def _life(self) -> str:
        if self.process is not None:
            return f"running as process {self.process}"
        if self.state.beat_us is None:
            return "has never run here"
        return "stopped" if self.state.stopped else "not running; it did not stop in order"


def read_status(settings: Settings) -> Status:
    """The status of the collector on that data folder.

    Raises:
        StoreUnavailable: If the store is there and cannot be read.
    """
    process = process_of(settings, "collector", "collector")
    try:
        with closing(open_querier(settings.store_path)) as querier, querier.snapshot() as snapshot:
            return Status(process, snapshot.writer())
    except StoreMissing:
        return Status(process, WriterState())


def _moment(time_us: int | None) -> str:
    return "never" if time_us is None else to_iso(time_us)

"""What the collector says of itself, in words."""

import pytest

from collector.status import Status
from telemetry.condition import WriterState


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status(None, WriterState()), "nothing yet"),
        (Status(None, WriterState(beat_us=1, stopped=True)), "not storing while it is stopped"),
        (Status(7, WriterState(beat_us=1)), "storing"),
        (Status(7, WriterState(beat_us=1, store_reason="disk full")), "disk full"),
    ],
)
def test_store_is_told_as_it_is(status: Status, words: str) -> None:
    """A collector that does not run stores nothing, and one that never ran has no store."""
    assert f"store      {words}" in status.as_text().splitlines()

"""Rejections are all counted, and logged within bounds."""

from structlog.testing import capture_logs

from collector.message import Message
from collector.rejection import LINES_PER_S, Fault, RejectionLog


def test_rejections_beyond_the_lines_of_a_second_are_summed_up() -> None:
    """A flood of garbage is counted in full and costs a few lines and a sum."""
    rejections = RejectionLog(before=10)
    with capture_logs() as lines:
        for _ in range(100):
            rejections.note(Message("clients/a\n", b"\xff" * 500, 1), Fault("not-utf8"))
        rejections.note(Message("clients/a", b"", 1_000_001), Fault("empty"))
    assert rejections.total == 111
    assert rejections.counts == {"not-utf8": 100, "empty": 1}
    assert len(lines) == LINES_PER_S + 2
    assert lines[LINES_PER_S]["count"] == 100 - LINES_PER_S


def test_rejection_line_shows_topic_and_payload_as_they_came() -> None:
    """Control characters and bytes are shown escaped, and long payloads cut."""
    with capture_logs() as lines:
        RejectionLog().note(Message("a\n", b"\xff" * 500, 1), Fault("not-utf8"))
    assert lines[0]["topic"] == repr("a\n")
    assert lines[0]["payload"] == repr(b"\xff" * 200)

"""`python -m tests.torture.careless`: a collector that acknowledges before it commits.

What the torture is to find; it proves that the torture would.
"""

from collections.abc import Sequence
from typing import Any
from unittest import mock

from collector.daemon import run
from collector.intake import Intake
from collector.message import Message
from collector.session import Session
from telemetry.settings import load_settings


def main() -> None:
    """Runs the real collector but for the order of its two steps."""
    start, put, acknowledge = Session.start, Intake.put, Session.acknowledge
    sessions: list[Session] = []

    def remember(session: Session) -> None:
        sessions.append(session)
        start(session)

    def put_carelessly(intake: Intake, messages: Sequence[Message]) -> Any:
        acknowledge(sessions[0], messages)
        return put(intake, messages)

    with (
        mock.patch.object(Session, "start", remember),
        mock.patch.object(Intake, "put", put_carelessly),
        mock.patch.object(Session, "acknowledge", return_value=None),
    ):
        run(load_settings())


if __name__ == "__main__":
    main()

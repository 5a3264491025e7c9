"""`python -m tests.collector.crashing`: a collector that is killed between commit and acknowledgement."""  # noqa: E501  # one sentence

import os
import signal
from collections.abc import Sequence
from itertools import count
from unittest import mock

from collector.daemon import run
from collector.message import Message
from collector.session import Session
from telemetry.settings import load_settings

SETTLED_BATCHES = 3


def main() -> None:
    """Runs the real collector; the commit after the first few is its last act."""
    acknowledge, calls = Session.acknowledge, count(1)

    def die(session: Session, messages: Sequence[Message]) -> None:
        if next(calls) > SETTLED_BATCHES:
            os.kill(os.getpid(), signal.SIGKILL)
        acknowledge(session, messages)

    with mock.patch.object(Session, "acknowledge", die):
        run(load_settings())


if __name__ == "__main__":
    main()

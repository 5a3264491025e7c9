"""`python -m tests.torture.dated`: a collector that can live with the clock of libfaketime.

Its 0.9.10 makes each `time.sleep` of Python fail with EINVAL: it takes the absolute monotonic time
that clock_nanosleep(2) is called with for one that it has shifted. Waiting for an event goes
another way.
"""

import threading
import time
from unittest import mock

from collector.daemon import run
from telemetry.settings import load_settings


def main() -> None:
    """Runs the real collector; where it sleeps, it waits for what never happens."""
    never = threading.Event()
    with mock.patch.object(time, "sleep", never.wait):
        run(load_settings())


if __name__ == "__main__":
    main()

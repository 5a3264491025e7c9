"""`python -m tests.torture.impatient`: a collector whose keep-alive is short, to test silence."""

from unittest import mock

from collector import session
from collector.daemon import run
from telemetry.settings import load_settings

KEEP_ALIVE_S = 2


def main() -> None:
    """Runs the real collector; it asks after the broker every two seconds."""
    with mock.patch.object(session, "KEEP_ALIVE_S", KEEP_ALIVE_S):
        run(load_settings())


if __name__ == "__main__":
    main()

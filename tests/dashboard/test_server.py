"""The port of the web server; the server itself runs in tests/integration/test_dashboard.py."""

import pytest

from dashboard.server import PortTaken, check_port
from telemetry.settings import Settings
from tests.support import accepts


def test_port_that_is_free_is_taken_by_nobody(settings: Settings) -> None:
    """Looking leaves the port free."""
    check_port(settings)
    check_port(settings)
    assert not accepts(settings.http_port)


def test_port_of_a_host_that_is_not_ours_is_refused(settings: Settings) -> None:
    """A host that cannot be bound is told as such."""
    for host in ("203.0.113.1", "no-such-host.invalid"):
        with pytest.raises(PortTaken, match="CULEX_HTTP_HOST"):
            check_port(settings.model_copy(update={"http_host": host}))

"""What a page says of a client that sends more than one may."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.stack import PROBE, Stack
from tests.browser.test_looks import DESKTOP, PHONE
from tests.browser.watched import log_in, open_page

pytestmark = pytest.mark.browser


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Stack]:
    """A stack in which a client may send forty messages and then five a second."""
    made = Stack(tmp_path, client_messages_per_s=5, client_burst=40)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def test_client_beyond_its_limit_is_named_on_the_page_of_another(
    contexts: Callable[..., BrowserContext], strict: Stack, tmp_path: Path
) -> None:
    """Whose messages are left out is said where somebody looks, on any screen."""
    for name, screen in {"desktop": DESKTOP, "phone": PHONE}.items():
        watched = open_page(contexts(**screen), strict.url)
        watched.page.goto(strict.url)
        log_in(watched.page)
        watched.page.goto(f"{strict.url}/client?id=greenhouse")
        watched.wait_drawn()
        banner = watched.page.get_by_role("status")
        for number in range(80):
            strict.publish("level", str(number))
        expect(banner).to_contain_text(f"Client '{PROBE}' sent more messages than one may")
        expect(banner).to_contain_text("raise client_messages_per_s in culex.toml")
        watched.picture(tmp_path / f"limits-{name}.png")
        watched.assert_quiet()

"""Fixtures of the browser suite: one Chromium, one stack, a watched page for each test."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, StorageState, expect, sync_playwright

from tests.browser.stack import Stack
from tests.browser.watched import WatchedPage, log_in, open_page

CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

Opener = Callable[..., WatchedPage]

expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Broker, collector and dashboard with clients that speak; shared by all tests."""
    made = Stack(tmp_path_factory.mktemp("stack"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def session(chromium: Browser, stack: Stack) -> StorageState:
    """The cookies of a browser that is logged in."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(stack.url)
    log_in(page)
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def contexts(chromium: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts that end with the test."""
    made: list[BrowserContext] = []

    def make(**options: object) -> BrowserContext:
        wanted = {"viewport": {"width": 1440, "height": 900}, "timezone_id": "UTC"}
        made.append(chromium.new_context(**(wanted | options)))  # type: ignore[arg-type]  # its options
        return made[-1]

    yield make
    for context in made:
        context.close()


@pytest.fixture
def pages(
    contexts: Callable[..., BrowserContext], session: StorageState, stack: Stack
) -> Iterator[Opener]:
    """Opens logged-in pages; in the end each must have been quiet and asked nobody else."""
    opened: list[WatchedPage] = []

    def make(path: str = "/client?id=greenhouse", **options: object) -> WatchedPage:
        context = contexts(**({"storage_state": session} | options))
        opened.append(open_page(context, stack.url))
        opened[-1].page.goto(path if path.startswith("http") else stack.url + path)
        return opened[-1]

    yield make
    for one in opened:
        one.assert_quiet()

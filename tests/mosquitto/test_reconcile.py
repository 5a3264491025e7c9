"""What differs between a broker and access.db, and what becomes of a comparison that fails."""

import copy
import os
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest
from structlog.testing import capture_logs

from mosquitto import broker
from mosquitto.access import Client, Password
from mosquitto.control import BrokerStopped
from mosquitto.dynsec import security
from mosquitto.names import BROKER_ADMIN, COLLECTOR, TRIAL
from mosquitto.provision import initialise
from mosquitto.reconcile import Allowed, differences, reconcile
from mosquitto.untold import read_notes
from telemetry.settings import Settings

NOTHING = Password("", "", 0)
WANTED = security(
    [Client("tank", False, NOTHING, 0), Client("off", False, NOTHING, 0, enabled=False)],
    {BROKER_ADMIN: NOTHING, COLLECTOR: NOTHING},
    [],
)


@pytest.fixture
def there() -> Allowed:
    """A broker that took its file as it is, to be changed by a test."""
    wanted = copy.deepcopy(WANTED)
    return Allowed(
        {role["rolename"]: role for role in wanted["roles"]},
        {login["username"]: login for login in wanted["clients"]},
        [],
        wanted["defaultACLAccess"],
    )


def grants_all(allowed: Allowed, role: str) -> None:
    """Somebody gave that role everything."""
    rule = {"acltype": "publishClientSend", "topic": "#", "priority": 9, "allow": True}
    allowed.roles.setdefault(role, {"rolename": role, "acls": []})["acls"].append(rule)


def has_role(allowed: Allowed, login: str, role: str) -> None:
    """Somebody gave that login another role, too."""
    allowed.logins[login]["roles"].append({"rolename": role, "priority": 0})


CHANGES: list[tuple[Callable[[Allowed], object], str, bool]] = [
    (
        lambda there: there.by_default.update(subscribe=True),
        "what is allowed by default was different",
        True,
    ),
    (lambda there: there.groups.append("everybody"), "group everybody was there", False),
    (lambda there: grants_all(there, "foreign"), "role foreign was there", True),
    (lambda there: grants_all(there, "client-tank"), "role client-tank was different", True),
    (lambda there: grants_all(there, COLLECTOR), "role collector was different", False),
    (lambda there: there.roles.pop("client-tank"), "role client-tank was missing", True),
    (lambda there: there.roles.pop(COLLECTOR), "role collector was missing", False),
    (lambda there: there.logins.pop("tank"), "client tank was missing", False),
    (lambda there: there.logins.pop(COLLECTOR), "client collector was missing", False),
    (lambda there: has_role(there, "tank", COLLECTOR), "client tank was different", True),
    (lambda there: has_role(there, COLLECTOR, "x"), "client collector was different", False),
    (
        lambda there: there.logins[COLLECTOR].update(disabled=True),
        "client collector was different",
        False,
    ),
    (lambda there: there.logins["tank"].update(clientid=""), "client tank was different", True),
    (lambda there: there.logins["tank"].update(disabled=True), "client tank was off", True),
    (lambda there: there.logins["off"].update(disabled=False), "client off was on", True),
    (lambda there: there.logins.update(stranger={}), "client stranger was there", True),
]


def test_broker_with_its_own_file_does_not_differ(there: Allowed) -> None:
    """Nor does one through which somebody publishes a test message just now."""
    assert list(differences(there, WANTED)) == []
    grants_all(there, f"client-{TRIAL}")
    there.logins[TRIAL] = {"username": TRIAL}
    assert list(differences(there, WANTED)) == []


@pytest.mark.parametrize(("change", "said", "undone"), CHANGES, ids=[one[1] for one in CHANGES])
def test_each_change_is_found(
    there: Allowed, change: Callable[[Allowed], object], said: str, undone: bool
) -> None:
    """In words; what only its file can tell the broker cannot be undone while it runs."""
    change(there)
    (found,) = differences(there, WANTED)
    assert (found.said, found.undo is not None) == (said, undone)


def test_stranger_takes_its_role_along(there: Allowed) -> None:
    """One finding, not two."""
    there.logins["stranger"] = {"username": "stranger"}
    grants_all(there, "client-stranger")
    assert [one.said for one in differences(there, WANTED)] == ["client stranger was there"]


def leave_note(settings: Settings) -> None:
    """A password of long ago was not told."""
    note = settings.run_dir / "untold-1"
    note.touch()
    os.utime(note, (0, 0))


def test_note_outlives_a_comparison_that_failed(settings: Settings) -> None:
    """The broker cannot be reached: it still has the old password when it can."""
    initialise(settings)
    leave_note(settings)
    with pytest.raises(BrokerStopped):
        reconcile(settings)
    assert read_notes(settings)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs until the test is over."""
    with subprocess.Popen(["sleep", "3600"]) as process:
        yield process
        process.kill()


def test_fault_of_ours_does_not_end_the_looking_after(
    settings: Settings, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged with its stack, and the next look is made all the same."""
    answers: Iterator[Exception | bool] = iter((FileNotFoundError("untold-1"), True))

    def look(_settings: Settings) -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(broker, "_has_drifted", look)
    monkeypatch.setattr(broker, "_RECONCILE_S", 0.0)
    monkeypatch.setattr(broker, "_TURN_S", 0.01)
    again = threading.Event()
    with capture_logs() as logs:
        broker._look_after(child, settings, again)
    assert again.is_set()
    assert [(one["log_level"], one["exc_info"]) for one in logs] == [("error", True)]

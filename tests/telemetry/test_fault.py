"""Faults as commands tell them: one sentence on standard error, and a status."""

import pytest

from mosquitto.broker import BrokerError
from mosquitto.names import NameRefused
from telemetry.fault import Fault, one_sentence
from telemetry.interface import StoreUnavailable


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (StoreUnavailable("the disk is full"), 1),
        (NameRefused("that is no name"), 2),
        (BrokerError("it was killed", exit_code=137), 137),
        (PermissionError(13, "Permission denied", "data/culex.db"), 1),
    ],
)
def test_fault_in_a_command_is_one_sentence_and_its_status(
    fault: Exception, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing on standard output, one line on standard error, the fault's own exit status."""
    with pytest.raises(SystemExit) as ended, one_sentence():
        raise fault
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (status, "", 1)
    assert said.err.startswith("Error: ")
    assert "Traceback" not in said.err


def test_error_that_is_no_fault_is_not_hidden() -> None:
    """A bug of ours keeps its traceback."""
    with pytest.raises(ZeroDivisionError), one_sentence():
        raise ZeroDivisionError


def test_faults_of_every_room_are_faults() -> None:
    """A command needs to know one class, not a list that somebody forgets to extend."""
    assert {one.__module__.split(".")[0] for one in _below(Fault)} >= {
        "telemetry",
        "mosquitto",
    }


def _below(kind: type[Fault]) -> list[type[Fault]]:
    return [kind, *(one for child in kind.__subclasses__() for one in _below(child))]

"""Jobs: done at least once, oldest first, whatever lies in the folder."""

import json
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.batch import Batch
from telemetry.interface import Appender, StoreError, StoreUnavailable
from telemetry.job import Erase, Job, JobError, Replay, Result
from telemetry.jobs import Patience, result_of, run_pending, submit, wait, withdraw
from telemetry.quarantine import Choice
from telemetry.reading import Flag, Series
from telemetry.store import open_appender
from tests.telemetry.builders import DEADLINE_S, SERIES, erasing, looking, reading, steady

SIMULATED = Erase(flags=Flag.SIMULATED)
NEVER = Patience(0)


class Refusing:
    """A worker that raises what it is told to, and remembers what it was asked."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.asked: list[Job] = []

    def __call__(self, job: Job) -> Result:
        """Raises the fault, if any."""
        self.asked.append(job)
        if self.fault is not None:
            raise self.fault
        return {}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The jobs folder, not made yet."""
    return tmp_path / "jobs"


@pytest.fixture
def appender(tmp_path: Path) -> Iterator[Appender]:
    """The collector's side of a real store with two simulated readings and a real one."""
    appender = open_appender(tmp_path / "culex.db")
    simulated = [reading(n, flags=Flag.SIMULATED) for n in (1, 2)]
    appender.append(Batch([*simulated, reading(3), reading(1, series=Series("other", "m"))]))
    yield appender
    appender.close()


def test_job_is_done_and_its_result_fetched_once(folder: Path, appender: Appender) -> None:
    """What was asked for happens, its result arrives, and no file is left."""
    job_id = submit(folder, SIMULATED)
    assert run_pending(folder, erasing(appender)) == 1
    assert wait(folder, job_id) == {"erased": 2}
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "job", [Replay(), Replay(Choice("array", "a/ä b"), dry_run=True), Erase("a"), Erase(flags=16)]
)
def test_job_arrives_as_it_was_handed_over(folder: Path, job: Job) -> None:
    """What the collector is asked is what the command meant."""
    submit(folder, job)
    worker = Refusing()
    run_pending(folder, worker)
    assert worker.asked == [job]


def test_job_with_more_to_do_stays_until_it_is_done(folder: Path) -> None:
    """A long job goes on the next time, and those behind it wait."""
    job_id = submit(folder, Replay())
    submit(folder, SIMULATED)
    results: list[Result | None] = [None, None, {"messages": 2}, {"erased": 0}]
    for done in (0, 0, 2):
        assert run_pending(folder, lambda _job: results.pop(0)) == done
    assert wait(folder, job_id, NEVER) == {"messages": 2}


def test_job_waits_in_a_folder_that_others_cannot_enter(folder: Path) -> None:
    """Only the owner of the data folder may ask."""
    submit(folder, SIMULATED)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_job_waited_for_while_the_collector_runs_is_answered(
    folder: Path, appender: Appender
) -> None:
    """A command that waits in one thread gets what the collector does in another."""
    job_id = submit(folder, Erase(SERIES.client))
    results: list[object] = []
    waiting = threading.Thread(target=lambda: results.append(wait(folder, job_id)))
    waiting.start()
    assert run_pending(folder, erasing(appender)) == 1
    waiting.join(DEADLINE_S)
    assert results == [{"erased": 3}]


def test_jobs_are_done_oldest_first(folder: Path) -> None:
    """Time decides the order, not the accidents of the folder."""
    worker = Refusing()
    for time_us in (30, 10, 2_000_000_000_000_000, 20):
        submit(folder, Erase(str(time_us)), clock=lambda now=time_us: now)  # type: ignore[misc]  # bound now
    assert run_pending(folder, worker) == 4
    assert [job.client for job in worker.asked if isinstance(job, Erase)] == [
        "10",
        "20",
        "30",
        "2000000000000000",
    ]


def test_answer_may_be_long_and_a_job_may_not(folder: Path) -> None:
    """What was done is told, however much there is to tell; what is too long is refused at once."""
    job_id = submit(folder, SIMULATED)
    faults = [f"file {number} cannot be read" for number in range(5000)]
    assert run_pending(folder, lambda _job: {"faults": faults}) == 1
    assert wait(folder, job_id) == {"faults": faults}
    with pytest.raises(JobError, match="name a folder"):
        submit(folder, Erase("x" * 100_000))
    assert list(folder.iterdir()) == []


def test_job_done_again_after_a_crash_is_harmless(folder: Path, appender: Appender) -> None:
    """A collector that died between doing and answering erases nothing more the second time."""
    job_id = submit(folder, SIMULATED)
    appender.do(Erase(flags=Flag.SIMULATED))
    assert run_pending(folder, erasing(appender)) == 1
    assert wait(folder, job_id) == {"erased": 0}


def test_job_that_the_store_cannot_do_now_stays_with_those_behind_it(folder: Path) -> None:
    """A full disk postpones jobs; it neither answers nor reorders them."""
    submit(folder, SIMULATED)
    submit(folder, Erase("boiler"))
    full = Refusing(StoreUnavailable("the disk is full"))
    assert run_pending(folder, full) == 0
    assert len(full.asked) == 1
    assert len(list(folder.glob("*.job"))) == 2
    assert run_pending(folder, Refusing()) == 2


def test_job_that_the_store_refuses_is_answered_with_its_sentence(folder: Path) -> None:
    """A fault that will not pass reaches the command that asked."""
    job_id = submit(folder, SIMULATED)
    assert run_pending(folder, Refusing(StoreError("it is damaged"))) == 1
    assert wait(folder, job_id) == {"error": "it is damaged"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'"erase"',
        b"{}",
        b'{"action": "format"}',
        b'{"action": "erase"}',
        b'{"action": "erase", "client": null, "flags": 0}',
        b'{"action": "erase", "client": 5, "flags": 0}',
        b'{"action": "erase", "client": "a", "flags": -1}',
        b'{"action": "erase", "client": "a", "flags": 1e3}',
        b'{"action": "erase", "client": "a", "flags": ' + b"9" * 5000 + b"}",
        b"[" * 30_000,
        b" " * 100_000,
    ],
    ids=range(14),
)
def test_job_that_is_garbage_is_answered_with_an_error(
    folder: Path, appender: Appender, content: bytes
) -> None:
    """What is no job erases nothing and is answered, and the jobs behind it are done."""
    folder.mkdir()
    (folder / "0.job").write_bytes(content)
    job_id = submit(folder, SIMULATED)
    assert run_pending(folder, erasing(appender)) == 2
    assert list(wait(folder, "0", NEVER)) == ["error"]
    assert wait(folder, job_id, NEVER) == {"erased": 2}


@steady
@given(st.binary(max_size=200))
def test_job_of_any_bytes_raises_nothing(content: bytes) -> None:
    """No content of a job file stops the collector or erases anything."""
    worker = Refusing()
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "0.job").write_bytes(content)
        assert run_pending(Path(name), worker) == 1
        assert worker.asked == []
        assert list(wait(Path(name), "0", NEVER)) == ["error"]


def test_folder_with_other_things_in_it_is_passed_by(folder: Path, appender: Appender) -> None:
    """A folder, a pipe, a dangling link or a temporary file is no job and stays."""
    (folder / "a.job").mkdir(parents=True)
    os.mkfifo(folder / "b.job")
    (folder / "c.job").symlink_to("nowhere")
    (folder / ".d.job.1.tmp").touch()
    assert run_pending(folder, erasing(appender)) == 0
    assert len(list(folder.iterdir())) == 4


def test_folder_that_is_missing_or_no_folder_holds_no_jobs(
    folder: Path, appender: Appender
) -> None:
    """Before anybody asked for anything, there is nothing to do."""
    assert run_pending(folder, erasing(appender)) == 0
    folder.touch()
    assert run_pending(folder, erasing(appender)) == 0


def test_answer_that_nobody_fetched_is_removed_after_a_day(
    folder: Path, appender: Appender
) -> None:
    """A command that was killed leaves nothing for ever."""
    folder.mkdir()
    (folder / "1.done").write_text("{}")
    written_us = (folder / "1.done").stat().st_mtime_ns // 1000
    run_pending(folder, erasing(appender), clock=lambda: written_us + 23 * 3600 * 1_000_000)
    assert (folder / "1.done").exists()
    run_pending(folder, erasing(appender), clock=lambda: written_us + 25 * 3600 * 1_000_000)
    assert not (folder / "1.done").exists()


def test_wait_beyond_its_deadline_withdraws_the_job(folder: Path, appender: Appender) -> None:
    """A command that gave up has not erased anything behind its user's back."""
    job_id, ticks = submit(folder, SIMULATED), iter(range(100))
    patience = Patience(5, elapsed=lambda: float(next(ticks)), pause=lambda _seconds: None)
    with pytest.raises(JobError, match="did not answer within 5 s; look into its log"):
        wait(folder, job_id, patience)
    assert run_pending(folder, erasing(appender)) == 0
    with looking(folder.parent / "culex.db") as snapshot:
        assert len(snapshot.latest()) == 2


def test_submit_into_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    """What stands in the way is named."""
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match=r"cannot write .*jobs: Not a directory; make it yours"):
        submit(tmp_path / "file" / "jobs", SIMULATED)


def test_erase_that_names_nothing_is_refused() -> None:
    """Nobody erases everything by leaving something out."""
    with pytest.raises(JobError, match="must name a client or flags"):
        Erase()


def test_job_file_says_what_it_asks_for(folder: Path) -> None:
    """A person can read what is pending."""
    job_id = submit(folder, SIMULATED)
    content = json.loads((folder / f"{job_id}.job").read_bytes())
    assert content == {"action": "erase", "client": None, "flags": 16}


def test_wait_ends_soon_after_nobody_is_there_to_answer(folder: Path) -> None:
    """Somebody who comes back within seconds is waited for; the job of one who does not is gone."""
    ticks = iter(range(100))
    there = iter([True, *[False] * 15, True, *[False] * 100])
    patience = Patience(
        3600,
        there=lambda: next(there),
        elapsed=lambda: float(next(ticks)),
        pause=lambda _seconds: None,
    )
    job_id = submit(folder, SIMULATED)
    with pytest.raises(JobError, match="the collector ended"):
        wait(folder, job_id, patience)
    assert 35 < next(ticks) < 45
    assert list(folder.iterdir()) == []


def test_result_is_there_as_often_as_it_is_asked_for(folder: Path) -> None:
    """Nobody waits: there is none yet, then there is one, also for who lost the first answer."""
    job_id = submit(folder, SIMULATED)
    assert result_of(folder, job_id) is None
    run_pending(folder, Refusing())
    assert [result_of(folder, job_id) for _ in range(2)] == [{}, {}]


@pytest.mark.parametrize("job_id", ["", "../../secrets/x", "00000000000000001-0123abcd", "x" * 999])
def test_result_of_what_is_no_job_is_refused(folder: Path, job_id: str) -> None:
    """What a browser sends names no other file."""
    with pytest.raises(JobError, match="ask again"):
        result_of(folder, job_id)
    withdraw(folder, job_id)


def test_job_withdrawn_is_not_done(folder: Path) -> None:
    """Who gave up is not surprised later."""
    worker, job_id = Refusing(), submit(folder, SIMULATED)
    withdraw(folder, job_id)
    assert (run_pending(folder, worker), worker.asked) == (0, [])

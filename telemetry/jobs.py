"""Jobs: what a command asks the running collector to do, since one process alone writes the store.

A job is a file `<id>.job` in the jobs folder, its result `<id>.done`; both appear by renaming. The
collector takes them oldest first. A job is done at least once: a crash between doing it and saying
so does it again, which is harmless for every job there is.
"""

import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telemetry.clock import Clock, now_us
from telemetry.files import make_owned, publish_file
from telemetry.interface import StoreError, StoreUnavailable
from telemetry.job import Job, JobError, Result, content_of, job_of

DEADLINE_S = 60.0
_STEP_S = 0.05
_GONE_S = 20.0  # it may be started again
_LARGEST = 64 * 1024
_KEEP_US = 24 * 3600 * 1_000_000
_ID = re.compile(r"[0-9]{17}-[0-9a-f]{8}", re.ASCII)


def submit(folder: Path, job: Job, clock: Clock = now_us) -> str:
    """Leaves the job in the folder, on disk, and returns its id; ids sort by age.

    Raises:
        JobError: If the folder cannot be written, or the job names too much.
    """
    job_id = f"{clock():017d}-{secrets.token_hex(4)}"
    content = json.dumps(content_of(job)).encode()
    if len(content) > _LARGEST:
        raise JobError("that is too much at once for a running collector; name a folder, or less")
    try:
        make_owned(folder, 0o700)  # it keeps others out, not the files: root may ask a collector
        publish_file(folder / f"{job_id}.job", content)
    except OSError as error:
        raise JobError(f"cannot write {folder}: {error.strerror}; make it yours") from None
    return job_id


Worker = Callable[[Job], Result | None]
"""Does a job, or a part of it; raises `StoreUnavailable` if it may work later."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a result, by which clock, and whether anybody is there to give it."""

    deadline_s: float = DEADLINE_S
    there: Callable[[], bool] = lambda: True
    elapsed: Callable[[], float] = time.monotonic
    pause: Callable[[float], object] = time.sleep


def wait(folder: Path, job_id: str, patience: Patience | None = None) -> Result:
    """The result of a job, whose files are then gone.

    Raises:
        JobError: If none came in time, or nobody is there any more; the job is then withdrawn,
            unless it is being done.
    """
    patience = patience or Patience()
    done = folder / f"{job_id}.done"
    seen = patience.elapsed()
    end = seen + patience.deadline_s
    try:
        while not done.exists():
            now = patience.elapsed()
            seen = now if patience.there() else seen
            if now - seen >= _GONE_S:
                raise JobError(
                    "the collector ended before it had done this; start it, or run this command "
                    "again without it"
                )
            if now >= end:
                raise JobError(
                    f"the collector did not answer within {patience.deadline_s:g} s; "
                    "look into its log, or stop it and run this command again"
                )
            patience.pause(_STEP_S)
        return _read(done)
    finally:
        (folder / f"{job_id}.job").unlink(missing_ok=True)
        done.unlink(missing_ok=True)


def result_of(folder: Path, job_id: str) -> Result | None:
    """The result of a job, `None` while there is none; for those who must not wait.

    It stays for a day: an answer that was lost on its way can be asked for again. `job_id` may
    come from anybody.

    Raises:
        JobError: If there is no such job (any more), or its result cannot be read.
    """
    if not _ID.fullmatch(job_id):
        raise JobError("this is no job of the collector; ask again")
    done = folder / f"{job_id}.done"
    if done.exists():
        return _read(done)
    if (folder / f"{job_id}.job").exists() or done.exists():
        return None
    raise JobError("the collector has nothing of this job any more; ask again")


def withdraw(folder: Path, job_id: str) -> None:
    """Takes a job back that was not begun; one that was is done all the same."""
    if _ID.fullmatch(job_id):
        (folder / f"{job_id}.job").unlink(missing_ok=True)


def run_pending(folder: Path, do: Worker, clock: Clock = now_us) -> int:
    """Does the jobs in the folder, oldest first, and returns how many are done.

    `do` returns what became of a job, or None if there is more to do of it: it stays, and so do
    those behind it, until the next time.

    A file that is no job is answered with an error, and so is a job that fails; one that may
    succeed later (`StoreUnavailable`) stays, with those behind it. Answers nobody fetched within a
    day are removed. Never raises because of what lies in the folder.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
        _forget([path for path in files if path.suffix == ".done"], clock() - _KEEP_US)
        return _run([path for path in files if path.suffix == ".job"], do)
    except OSError:
        return 0


def _run(jobs: list[Path], do: Worker) -> int:
    for number, path in enumerate(jobs):
        try:
            result = _answer(path, do)
        except StoreUnavailable:
            return number
        if result is None:
            return number
        if path.exists():
            publish_file(path.with_suffix(".done"), json.dumps(result).encode())
            path.unlink(missing_ok=True)
    return len(jobs)


def _answer(path: Path, do: Worker) -> Result | None:
    try:
        return do(job_of(_parse(path)))
    except StoreUnavailable:
        raise
    except (JobError, StoreError) as error:
        return {"error": str(error)}


def _parse(path: Path) -> dict[str, Any]:  # Any: JSON at the door
    """What somebody left in the folder, who may be anybody."""
    try:
        large = path.stat().st_size > _LARGEST
    except OSError:
        large = False  # reading it says why
    if large:
        raise JobError(f"{path} is too large for a job")
    return _read(path)


def _read(path: Path) -> dict[str, Any]:  # Any: JSON at the door
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise JobError(f"{path} cannot be read as JSON; remove it") from None
    if not isinstance(content, dict):
        raise JobError(f"{path} holds no JSON object; remove it")
    return content


def _forget(answers: list[Path], before_us: int) -> None:
    for path in answers:
        if path.stat().st_mtime_ns < before_us * 1000:
            path.unlink(missing_ok=True)

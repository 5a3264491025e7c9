"""What commands share: the store they ask, and the one process that may write it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import psutil

from telemetry.daemon import AlreadyRunning, pid_file, prepare_folders
from telemetry.interface import Querier
from telemetry.job import JobError, Result, StoreJob, Tell, silent
from telemetry.jobs import Patience, submit, wait
from telemetry.settings import Settings
from telemetry.store import appender_of, querier_of

_JOB_S = 3600.0
"""How long the collector may take for a job; a long history takes minutes."""


@contextmanager
def asking(settings: Settings) -> Iterator[Querier]:
    """A querier of the store of these settings."""
    querier = querier_of(settings)
    try:
        yield querier
    finally:
        querier.close()


def done(settings: Settings, job: StoreJob, tell: Tell = silent) -> Result:
    """Does what changes the store, here or by the collector if that runs.

    How far it is can be told only of what is done here.

    Raises:
        JobError: If it was not done.
    """
    prepare_folders(settings)
    try:
        with pid_file(settings, "collector"), closing(appender_of(settings)) as appender:
            return appender.do(job, tell)
    except AlreadyRunning:
        patience = Patience(_JOB_S, partial(_collector_runs, settings))
        result = wait(settings.jobs_dir, submit(settings.jobs_dir, job), patience)
    if "error" in result:
        raise JobError(str(result["error"]))
    return result


def _collector_runs(settings: Settings) -> bool:
    try:
        return psutil.pid_exists(int((settings.run_dir / "collector.pid").read_text("utf-8")))
    except (OSError, ValueError):
        return False  # it is being started, or has ended

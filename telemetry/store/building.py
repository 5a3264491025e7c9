"""Building in a process of its own, so that reading and compressing never holds up a message."""

import multiprocessing
import os
import pickle
import signal
import threading
from contextlib import closing, suppress
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from telemetry.fault import Fault
from telemetry.interface import StoreError
from telemetry.store.head import open_reader
from telemetry.store.importing import Import, Read
from telemetry.store.importing_days import Imported
from telemetry.store.layout import Site
from telemetry.store.retaining import Retain
from telemetry.store.rewriting import Swap
from telemetry.store.scrubbing import Checked, Recheck, Scrub
from telemetry.store.sealing import Seal, Sealed
from telemetry.store.tasks import Compact, Forget, Missed

_NICE = 10
_LAST_S = 0.5
_GARBLED = (  # it ended, or is of another version since an update
    EOFError, OSError, pickle.PickleError, AttributeError, ImportError, TypeError, ValueError,
)  # fmt: skip

Task = Seal | Compact | Forget | Retain | Import | Scrub | Recheck
Product = Sealed | Swap | Missed | Read | Imported | Checked


class BuildError(Fault):
    """A process that builds has ended before it was done; the message says why."""


class Build:
    """A process that works on a task, a product at a time.

    Attributes:
        task: What it works on.
    """

    def __init__(self, path: Path, site: Site, task: Task) -> None:
        self.task = task
        spawn = multiprocessing.get_context("spawn")
        self._pipe, other = spawn.Pipe()
        self._process = spawn.Process(target=_build, args=(path, site, task, other), daemon=True)
        self._process.start()
        other.close()

    @property
    def ready(self) -> bool:
        """Whether `receive` would not wait."""
        return self._pipe.poll()

    def receive(self) -> Product | None:
        """The next product, or `None` after the last; the process is then gone.

        Raises:
            BuildError: If there will be no more.
        """
        try:
            received = self._pipe.recv()
        except _GARBLED:
            self.stop()
            raise BuildError(f"the process ended with {self._process.exitcode}") from None
        if isinstance(received, Product):
            return received
        self.stop()
        if received is not None:
            raise BuildError(str(received))
        return None

    def go_on(self) -> None:
        """Lets it build the next product, for which the last must be part of the store."""
        with suppress(OSError):  # it has ended; `receive` will say so
            self._pipe.send(None)

    def stop(self) -> None:
        """Ends the process, whatever it is doing; what it has begun is swept."""
        self._pipe.close()
        self._process.join(_LAST_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _build(path: Path, site: Site, task: Task, pipe: Pipe) -> None:
    """Runs in the other process: sends each product, then `None`, or why there is none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one that started us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(_NICE)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(OSError, EOFError):  # nobody listens any more
        try:
            with closing(open_reader(path)) as connection:
                for product in task.build(connection, site):
                    pipe.send(product)
                    pipe.recv()
            pipe.send(None)
        except (StoreError, OSError) as error:
            pipe.send(str(error))


def _end_with_parent() -> None:
    """Ends with the process that started it: nobody would publish what it builds, or remove it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

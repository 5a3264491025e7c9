"""Fakes of our own protocols, for tests of the collector without broker and disk."""

from collections.abc import Iterable, Mapping, Sequence

from collector.limits import Caps, Cardinality, RateLimit
from collector.link import LinkState
from collector.load import Loader, Tools
from collector.message import Message
from collector.observer import Observer
from collector.ping import SelfPing
from collector.redelivery import DeliveryRing
from collector.rejection import RejectionLog
from collector.replay import Replayer
from collector.skew import SkewWatch
from collector.topics import Rule, Topics
from collector.translate import Tolerance, Translator
from telemetry.batch import Batch, Committed, Skew
from telemetry.interface import Appender, StoreUnavailable
from telemetry.job import Replay, Result, StoreJob
from telemetry.presence import Connection
from telemetry.quarantine import Choice, Entry
from telemetry.reading import Reading, Series
from telemetry.template import TopicTemplate


class MemoryAppender:
    """An Appender that keeps its readings in a list, and fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.batches: list[Batch] = []
        self.reports: list[dict[str, int | str]] = []

    @property
    def readings(self) -> list[Reading]:
        """Everything stored."""
        return [one for batch in self.batches for one in readings_of(batch)]

    def append(self, batch: Batch) -> Committed:
        """Keeps the batch, or fails."""
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("the disk is full")
        self.batches.append(batch)
        return Committed(len(readings_of(batch)), 0)

    def deliveries(self) -> Sequence[bytes]:
        """Nothing from before."""
        return ()

    def identified(self, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:
        """What was stored of them."""
        known = dict(one for batch in self.batches for one in batch.identities)
        return {key: known[key] for key in keys if key in known}

    def memory(self) -> Mapping[str, bytes]:
        """Nothing from before."""
        return {}

    def series(self) -> Sequence[Series]:
        """Every series stored."""
        return list(dict.fromkeys(reading.series for reading in self.readings))

    def skews(self) -> Mapping[str, Skew]:
        """Nothing from before."""
        return {}

    def open_connections(self) -> Sequence[Connection]:
        """Nothing from before."""
        return ()

    def quarantined(self, choice: Choice, after: int, at_most: int) -> Sequence[Entry]:
        """Is not used here."""
        raise NotImplementedError

    def report(self, state: Mapping[str, int | str]) -> None:
        """Keeps the report, or fails."""
        if self.failures:
            raise StoreUnavailable("the disk is full")
        self.reports.append(dict(state))

    def tend(self, now_us: int) -> bool:  # noqa: ARG002  # as the protocol has it
        """Has no history."""
        return False

    def do(self, job: StoreJob) -> Result:
        """Is not used here."""
        raise NotImplementedError

    def step(self, job: StoreJob) -> Result | None:
        """Is not used here."""
        raise NotImplementedError

    def close(self) -> None:
        """Keeps everything for the test to look at."""


def readings_of(batch: Batch) -> list[Reading]:
    """All readings of a batch, those that messages brought first."""
    return [*(one for arrival in batch.arrivals for one in arrival.readings), *batch.readings]


CAPS = Caps(messages_per_s=0, burst=1, series_per_client=1000, series=1000)


def tools(appender: Appender, *templates: str, caps: Caps = CAPS) -> Tools:
    """What messages are loaded with, on topics of these templates."""
    topics = Topics(Rule(TopicTemplate(template)) for template in templates)
    cardinality = Cardinality(caps, appender.series())
    return Tools(
        topics,
        Translator(
            topics, Tolerance(60_000_000, 300_000_000), cardinality.admit, appender.memory()
        ),
        DeliveryRing(appender.deliveries()),
        RateLimit(caps),
        cardinality,
        SkewWatch(appender.skews()),
        Observer(),
        RejectionLog(),
        appender.identified,
    )


def replayed(appender: Appender, loader: Loader, *, dry_run: bool = False) -> Result:
    """What a replay of everything in quarantine comes to."""
    replayer, job = Replayer(appender, loader), Replay(Choice(), dry_run)
    while (result := replayer.step(job)) is None:
        pass
    return result


class MemoryLink:
    """A Link that remembers what was acknowledged."""

    def __init__(self) -> None:
        self.state = LinkState(up=True, since_us=1, reason="")
        self.acknowledged: list[int] = []
        self.catching_up = False
        self.heard_us = 2
        self.ping = SelfPing("test")

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Remembers the packet identifiers."""
        self.acknowledged += [message.packet_id for message in messages]

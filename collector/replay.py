"""Replay: what is in quarantine is decoded again, with the topic templates of today."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import orjson

from collector.load import Loader
from collector.message import Message, Properties
from collector.verdict import judge
from telemetry.batch import Batch, Release
from telemetry.interface import Appender
from telemetry.job import Replay, Result
from telemetry.quarantine import Entry
from telemetry.reading import Flag, SeriesName

STEP = 500
"""Messages in one transaction: so long the stream waits."""


class Replayer:
    """Works off replay jobs in steps. Belongs to the writer's thread."""

    def __init__(self, appender: Appender, loader: Loader) -> None:
        self._appender = appender
        self._loader = loader
        self._begin()

    def _begin(self) -> None:
        self._after = 0
        self._rehearsal: Loader | None = None
        self._counts = Counter(
            dict.fromkeys(("messages", "released", "stay", "cut", "readings", "stored"), 0)
        )

    def step(self, job: Replay) -> Result | None:
        """Replays the next messages of a job; what became of all of them when there are no more.

        Repeating it changes nothing: what has left quarantine is not there again, and what stays
        stays as it is. Messages that are not kept whole are passed over and counted as `cut`.

        Raises:
            StoreUnavailable: If nothing was written; the same step may be tried again.
        """
        entries = self._appender.quarantined(job.choice, self._after, STEP)
        if not entries:
            counts = dict(self._counts)
            self._begin()
            return counts
        batch = _decode(entries, self._loader_for(job))
        stored = 0 if job.dry_run else self._appender.append(batch).stored
        releases = batch.releases
        self._after = entries[-1].id
        stay = sum(release.again is not None for release in releases)
        self._counts.update(
            messages=len(entries),
            cut=len(entries) - len(releases),
            stay=stay,
            released=len(releases) - stay,
            readings=sum(len(release.arrival.readings) for release in releases),
            stored=stored,
        )
        return None

    def _loader_for(self, job: Replay) -> Loader:
        """A dry run is translated beside the stream, which must not notice it."""
        if not job.dry_run:
            return self._loader
        self._rehearsal = self._rehearsal or self._loader.rehearsal()
        return self._rehearsal


def _decode(entries: Iterable[Entry], loader: Loader) -> Batch:
    """What those of them come to that are kept whole, with what they leave behind."""
    releases: list[Release] = []
    names: list[SeriesName] = []
    memory: dict[str, bytes] = {}
    for entry in entries:
        if not entry.whole:
            continue
        message = _message(entry)
        account, translation = loader.translate(message, Flag.REPLAYED.value)
        if not account.client:  # who logged in then is not known for ever: it stays where it is
            account = entry.message.account
        arrival, again = judge(message, account, translation)
        if again is not None and entry.message.outcome is None:
            again = replace(again, outcome=None)  # its other parts were good the first time
        releases.append(Release(entry.id, arrival, again))
        names += translation.names
        memory.update(translation.remember or {})
    return Batch(releases=releases, memory=memory, descriptions=names)


def _message(entry: Entry) -> Message:
    """The message as it arrived."""
    kept = entry.message
    facts = orjson.loads(kept.facts)
    properties = Properties(
        str(facts.get("content_type", "")),
        tuple((str(name), str(value)) for name, value in facts.get("user", ())),
    )
    return Message(
        kept.topic,
        kept.payload,
        kept.received_us,
        retain=bool(facts.get("retain")),
        properties=properties,
    )

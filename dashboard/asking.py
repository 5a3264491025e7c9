"""One question per tick: its picture, or that of a moment ago where it will do."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar, cast

from dashboard.question import MOMENT_US, Picture, Question, picture_of, picture_of_metric
from dashboard.recent import Now
from telemetry.interface import Snapshot
from telemetry.window import SECOND_US

_SHARED_US = SECOND_US // 4
"""So long several tabs, or people, get the same picture while nothing arrives."""

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, eq=False)
class _Shared:
    """A picture for all who ask for the same at nearly the same time.

    Attributes:
        sequence: Of the store that it is of.
        picture: What was found.
    """

    sequence: int
    picture: Picture

    def will_do(self, snapshot: Snapshot, question: Question) -> bool:
        """Whether nothing arrived since, and it is of this moment; another thread may be ahead."""
        before = self.picture.question
        moved_us = question.window.start_us - before.window.start_us
        passed_us = question.now_us - before.now_us
        near = abs(moved_us) < _SHARED_US and abs(passed_us) < _SHARED_US
        return near and self.sequence >= snapshot.sequence


def ask(snapshot: Snapshot, question: Question) -> Picture:
    """The picture for a question.

    Raises:
        StoreError: If the store cannot be read.
    """
    kept, key = snapshot.kept, _key(question)
    for resting in (False, True) if question.resting else (False,):
        shared = kept.get((*key, resting), _Shared)
        if shared is not None and shared.will_do(snapshot, question):
            return shared.picture
    picture = _again(snapshot, question) if question.resting else None
    if picture is None:
        picture = picture_of(snapshot, question)
        kept.put(key, picture)
    kept.put((*key, question.resting), _Shared(snapshot.sequence, picture))
    return picture


def once(snapshot: Snapshot, what: str, picture: Picture, make: Callable[[], Made]) -> Made:
    """What comes of a picture, made once for all who share it."""
    kept, key = snapshot.kept, (what, *_key(picture.question))
    known = kept.get(key, tuple)
    if known is not None and known[0] is picture:
        return cast(Made, known[1])
    made = make()
    kept.put(key, (picture, made))
    return made


def _again(snapshot: Snapshot, question: Question) -> Picture | None:
    """The picture of a moment ago with what tiles say now, if there was one of the same metrics."""
    kept = snapshot.kept
    before = kept.get(_key(question), Picture)
    if before is None:
        return None
    moved_us = question.window.start_us - before.question.window.start_us
    if not (0 <= moved_us < MOMENT_US and 0 <= question.now_us - before.asked_us < MOMENT_US):
        return None
    latest = {one.series.metric: one for one in snapshot.latest(before.question.client)}
    if list(latest) != before.metrics:
        return None
    pictures = []
    for one in before.pictures:
        newest = latest[one.latest.series.metric]
        if (newest.kind, newest.unit) != (one.latest.kind, one.latest.unit):
            return None
        now = Now(snapshot, newest, kept.of(newest.series))
        pictures.append(picture_of_metric(now, one.cadence, question, one.notation))
    asked = replace(question, client=before.question.client)
    return replace(before, question=asked, pictures=pictures)


def _key(question: Question) -> tuple[object, ...]:
    spans, metrics = tuple(question.spans), tuple(question.metrics)
    length_us = question.window.length_us
    return ("picture", question.client, metrics, length_us, spans, question.max_buckets)

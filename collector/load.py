"""From messages to one batch: each message is accounted for exactly once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from collector.hearing import Aside, hear
from collector.limits import Cardinality, RateLimit
from collector.message import Message
from collector.observer import Observer, is_about_broker
from collector.redelivery import DeliveryRing, Repetition, identity
from collector.rejection import Rejected, RejectionLog
from collector.skew import SkewWatch
from collector.topics import Route, Topics
from collector.translate import OVERFLOW, Translation, Translator, refusal
from collector.verdict import flagged, judge
from telemetry.batch import Arrival, Batch, Identity
from telemetry.ledger import Account, Outcome
from telemetry.presence import Changes, Event, EventKind
from telemetry.quarantine import Quarantined
from telemetry.reading import Flag, Reading, Series, SeriesName
from telemetry.window import HOUR_US

UNKNOWN_CLIENT = ""
TOO_MANY_MESSAGES = "too-many-messages"

log = structlog.get_logger("collector.load")


@dataclass(slots=True)
class Load:
    """A batch in the making, and the messages it settles."""

    forget: bool = False
    readings: int = 0
    arrivals: list[Arrival] = field(default_factory=list)
    arrived: list[Message] = field(default_factory=list)
    asides: dict[int, Aside] = field(default_factory=dict)
    deliveries: list[bytes] = field(default_factory=list)
    identities: dict[bytes, Identity] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    own: list[Reading] = field(default_factory=list)
    names: list[SeriesName] = field(default_factory=list)
    memory: dict[str, bytes] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    repeated: int = 0
    maybe_repeated: int = 0
    limited: int = 0

    def batch(self, presence: Changes) -> Batch:
        """What one transaction commits."""
        return Batch(
            readings=self.own,
            arrivals=self.arrivals,
            deliveries=self.deliveries,
            forget_deliveries=self.forget,
            identities=list(self.identities.values()),
            quarantined=self.quarantined,
            memory=self.memory,
            descriptions=self.names,
            presence=presence,
            topics=hear(self.arrived, self.arrivals, self.asides),
        )

    def arrive(self, message: Message, arrival: Arrival, aside: Aside) -> None:
        """Accounts for a message that came to something else than readings alone."""
        self.asides[len(self.arrivals)] = aside
        self.arrivals.append(arrival)
        self.arrived.append(message)


class Tools(NamedTuple):
    """What a loader works with.

    Attributes:
        identified: Asks the store which identities of messages it knows.
    """

    topics: Topics
    translator: Translator
    ring: DeliveryRing
    rate: RateLimit
    cardinality: Cardinality
    skews: SkewWatch
    observer: Observer
    rejections: RejectionLog
    identified: Callable[[Iterable[bytes]], Mapping[bytes, bytes]]


class Loader:
    """Turns messages into loads, one after the other. Belongs to the writer's thread."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._last = Account(UNKNOWN_CLIENT, 0)
        self._had_session = False

    def add(self, message: Message, load: Load, *, catching_up: bool = False) -> None:
        """Takes a message into the load: its readings, or why it has none."""
        if is_about_broker(message):
            load.own += self._tools.observer.hear(message)
            return
        load.messages.append(message)
        route = self._route(message)
        if isinstance(route, str):
            self._refuse(message, route, load)
            return
        subscriptions = message.properties.subscriptions
        if subscriptions and route.subscription not in subscriptions:
            return  # another copy of the message came for the subscription that counts
        repetition = self._recognise(message, load)
        if repetition is Repetition.YES:
            self._repeat(message, route, load)
        elif not self._tools.rate.admit(
            route.place.client, message.received_us, catching_up=catching_up
        ):
            load.limited += 1
            account = self._account(message, route)
            aside = Aside(route.place.client, TOO_MANY_MESSAGES)
            load.arrive(message, Arrival(account, (), Outcome.LIMITED), aside)
            self._tools.observer.limit(account.client, TOO_MANY_MESSAGES, message)
        else:
            self._take(message, route, repetition, load)

    def forget_deliveries(self, now_us: int) -> None:
        """The broker lost our session: packet identifiers start anew."""
        if self._had_session or len(self._tools.ring):
            detail = "what the broker held for the collector is gone"
            self._tools.observer.note(Event(now_us, EventKind.SESSION_LOST, detail=detail))
        self._had_session = True
        self._tools.ring.forget()

    def learn_series(self, series: Iterable[Series]) -> None:
        """Exactly these series are there, as after some were erased."""
        self._tools.cardinality.learn(series)
        self._tools.translator.forget_series()

    def _route(self, message: Message) -> Route | str:
        try:
            return self._tools.topics.route(message.topic)
        except Rejected as rejected:
            return rejected.reason

    def _refuse(self, message: Message, reason: str, load: Load) -> None:
        """A message whose topic names nobody; a repetition of it is one all the same."""
        account = Account(UNKNOWN_CLIENT, _hour(message.received_us))
        if self._recognise(message, load) is Repetition.YES:
            load.repeated += 1
            load.arrive(message, Arrival(account), Aside(UNKNOWN_CLIENT, reason))
        else:
            self._settle(message, account, refusal(reason), load)

    def _repeat(self, message: Message, route: Route, load: Load) -> None:
        load.repeated += 1
        load.arrive(message, Arrival(self._account(message, route)), Aside(route.place.client, ""))

    def _recognise(self, message: Message, load: Load) -> Repetition:
        """Whether the message came before; the load remembers it if it is not sure to have."""
        if not message.packet_id:
            return Repetition.NO
        arrived = self._tools.ring.admit(message)
        if arrived.repetition is not Repetition.YES:
            load.deliveries.append(arrived.key)
        return arrived.repetition

    def _account(self, message: Message, route: Route) -> Account:
        """Who has no reading and did not log in has no place of its own: names cost nothing."""
        client, hour_us = route.place.client, _hour(message.received_us)
        last = self._last
        if client == last.client and hour_us == last.hour_us:
            return last
        if not (self._tools.cardinality.knows(client) or self._tools.observer.knows(client)):
            client = UNKNOWN_CLIENT
        self._last = account = Account(client, hour_us)
        return account

    def _take(self, message: Message, route: Route, repetition: Repetition, load: Load) -> None:
        flags = Flag.REDELIVERED.value if repetition is Repetition.MAYBE else 0
        load.maybe_repeated += bool(flags)
        if message.properties.user:
            named = self._known_name(message, load)
            if named is Repetition.YES:
                self._repeat(message, route, load)
                return
            if named is Repetition.MAYBE:
                flags |= Flag.CONFLICT.value
        translation = self._guarded(message, route)
        if flags:
            translation = flagged(translation, flags)
        if translation.remember:
            translation = self._tools.translator.keep(translation)
        if translation.skew_us is not None and not message.retain:
            client, skew_us = route.place.client, translation.skew_us
            self._tools.skews.note(client, skew_us, message.received_us)
        if translation.notes:
            client, received_us = route.place.client, message.received_us
            self._tools.observer.read(client, translation.notes, received_us)
        self._settle(message, self._account(message, route), translation, load)

    def _known_name(self, message: Message, load: Load) -> Repetition:
        """What its publisher calls it: the same again, the same name for another, or neither."""
        named = identity(message)
        if named is None:
            return Repetition.NO
        before = load.identities.get(named.key)
        digest = before.digest if before else self._tools.identified([named.key]).get(named.key)
        if digest is None:
            load.identities[named.key] = named
            return Repetition.NO
        return Repetition.YES if digest == named.digest else Repetition.MAYBE

    def translate(self, message: Message, flags: int) -> tuple[Account, Translation]:
        """What a message comes to that is in quarantine, and where the ledger counts it.

        What it leaves behind for later messages is taken in, and is to be committed with it. Its
        notes tell of what was then, and are passed on to nobody.
        """
        route = self._route(message)
        if isinstance(route, str):
            return Account(UNKNOWN_CLIENT, _hour(message.received_us)), refusal(route)
        translation = self._guarded(message, route)
        if translation.remember:
            translation = self._tools.translator.keep_late(translation)
        return self._account(message, route), flagged(translation, flags)

    def rehearsal(self) -> "Loader":
        """A loader that translates as this one does, and leaves nothing behind in it."""
        cardinality = self._tools.cardinality.copy()
        translator = self._tools.translator.copy(cardinality.admit)
        return Loader(self._tools._replace(translator=translator, cardinality=cardinality))

    def _guarded(self, message: Message, route: Route) -> Translation:
        """No message may stop the stream, not even one that finds an error of ours."""
        try:
            return self._tools.translator.translate(message, route)
        except Exception:
            log.exception("cannot translate", topic=repr(message.topic[:200]))
            return refusal("internal-error")

    def _settle(
        self, message: Message, account: Account, translation: Translation, load: Load
    ) -> None:
        readings, faults = translation.readings, translation.faults
        load.readings += len(readings)
        if translation.names:
            load.names += translation.names
        if translation.remember:
            load.memory.update(translation.remember)
        if readings and not faults:
            load.arrivals.append(Arrival(account, readings))
            load.arrived.append(message)
            return
        for fault in faults:
            self._tools.rejections.note(message, fault)
            if fault.reason == OVERFLOW:
                self._tools.observer.limit(account.client, OVERFLOW, message)
        arrival, quarantined = judge(message, account, translation)
        reason = quarantined.reason if quarantined else faults[0].reason if faults else ""
        load.arrive(message, arrival, Aside(self._client(message), reason))
        if quarantined is not None:
            load.quarantined.append(quarantined)

    def _client(self, message: Message) -> str:
        """Whose a message is by its topic, whether or not that client has a reading."""
        route = self._route(message)
        return UNKNOWN_CLIENT if isinstance(route, str) else route.place.client


def _hour(received_us: int) -> int:
    return received_us - received_us % HOUR_US

"""The collector's life: startup, loop, shutdown."""

import gc
from collections.abc import Iterable
from contextlib import closing
from functools import partial

import structlog

from collector.endpoint import check_endpoint, endpoint_of, held_path
from collector.intake import Bounds, Intake
from collector.limits import Caps, Cardinality, RateLimit
from collector.link import Endpoint
from collector.load import Loader, Tools
from collector.observer import Observer
from collector.redelivery import DeliveryRing
from collector.rejection import RejectionLog
from collector.replay import Replayer
from collector.session import Session
from collector.skew import SkewWatch
from collector.subscriptions import Subscriptions
from collector.topics import Rule, Topics
from collector.translate import Tolerance, Translator
from collector.watch import Watch
from collector.writer import Parts, Writer
from telemetry.batch import DELIVERIES_KEPT
from telemetry.clock import now_us
from telemetry.condition import WriterState
from telemetry.daemon import (
    AlreadyRunning,
    pid_file,
    prepare_folders,
    start_logging,
    stop_on_signal,
)
from telemetry.denials import take
from telemetry.interface import Appender
from telemetry.job import JobError, Replay, Result
from telemetry.jobs import Patience, submit, wait
from telemetry.settings import Settings
from telemetry.store import appender_of, open_querier
from telemetry.template import EVERY_CLIENT, TopicTemplate
from telemetry.window import parse_duration, parse_zone

PROCESS = "collector"
_DRAIN_S = 1.5
_OBJECTS_PER_COLLECTION = 100_000  # several batches; readings are no cycles (measured, ADR 7)
_REPLAY_S = 3600.0

log = structlog.get_logger("collector")


def run(settings: Settings) -> None:
    """Collects until SIGTERM or SIGINT; everything that was acknowledged is stored.

    Raises:
        TemplateError: If the topic templates cannot be used.
        DataFolderError: If the data folder cannot be used.
        SecretError, TrustError: If our login, or whom to trust, cannot be read.
        AlreadyRunning: If another collector uses the same data folder.
        StoreError: If the store cannot be used.
    """
    topics = load_topics(settings)
    prepare_folders(settings)
    endpoint = endpoint_of(settings)
    check_endpoint(endpoint)
    with pid_file(settings, PROCESS):
        start_logging(settings, PROCESS)
        with closing(appender_of(settings)) as appender:
            Collector(settings, endpoint, topics, appender).run()


def replay(settings: Settings, job: Replay) -> Result:
    """What became of a replay, done by the collector that runs, or else here.

    Raises:
        TemplateError, DataFolderError, StoreError: As `run`.
        JobError: If the collector does not answer.
    """
    prepare_folders(settings)
    try:
        with pid_file(settings, PROCESS), closing(appender_of(settings)) as appender:
            tools = make_tools(settings, load_topics(settings), appender)
            return _replay_here(Replayer(appender, Loader(tools)), job)
    except AlreadyRunning:
        patience = Patience(_REPLAY_S)
        result = wait(settings.jobs_dir, submit(settings.jobs_dir, job), patience)
    if "error" in result:
        raise JobError(str(result["error"]))
    return result


def _replay_here(replayer: Replayer, job: Replay) -> Result:
    result = replayer.step(job)
    while result is None:
        result = replayer.step(job)
    return result


class Collector:
    """The parts of a collector, put together.

    Attributes:
        intake: Between the network thread and the writer.
        session: With the broker; it brings the readings.
        watch: Over the broker; it says who is connected.
        writer: Runs on the thread that calls `run`.
    """

    def __init__(
        self, settings: Settings, endpoint: Endpoint, topics: Topics, appender: Appender
    ) -> None:
        subscriptions = Subscriptions(held_path(settings), topics.filters, topics.refuse)
        topics.prefer(subscriptions.wanted)
        self.intake = Intake(_bounds(settings))
        self.session = Session(endpoint, self.intake, subscriptions, now_us)
        self.watch = Watch(endpoint, self.intake.offer, now_us)
        tools = make_tools(settings, topics, appender)
        loader = Loader(tools)
        replayer = Replayer(appender, loader)
        parts = Parts(
            appender,
            self.intake,
            self.session,
            loader,
            replayer,
            tools.observer,
            tools.rejections,
            tools.skews,
            self.watch.take_outages,
            partial(take, settings.denials_dir),
            settings.jobs_dir,
            endpoint.place,
        )
        self.writer = Writer(parts, settings.batch_readings, now_us)
        self._filters = topics.filters

    def run(self) -> None:
        """Startup, loop, shutdown."""
        stopping = stop_on_signal()
        gc.freeze()
        gc.set_threshold(_OBJECTS_PER_COLLECTION)
        self.session.start()
        self.watch.start()
        self.writer.report()
        log.info("collecting", filters=self._filters)
        try:
            self.writer.run(stopping)
            self.session.finish()
            self.intake.close()
            self.writer.drain(_DRAIN_S)
        finally:
            self.watch.stop()
            self.session.stop()
        self.writer.report(stopped=True)
        settled = self.writer.statistics
        left = self.session.received - settled.messages
        log.info("stopped", stored=settled.stored, left_to_the_broker=left)


def load_topics(settings: Settings) -> Topics:
    """The topic templates in force.

    At our own broker each client may publish below its name, so what no template takes is heard as
    well; an existing one may not even let us ask for it.

    Raises:
        TemplateError: If they cannot be used.
    """
    rules = [
        Rule(TopicTemplate(one.template), one.format, one.columns, parse_zone(one.zone))
        for one in settings.all_topics
    ]
    return Topics(rules, [] if settings.existing_broker else [EVERY_CLIENT])


def make_tools(settings: Settings, topics: Topics, appender: Appender) -> Tools:
    """What messages are loaded with, in the state in which the store left it."""
    caps = Caps(
        settings.client_messages_per_s,
        settings.client_burst,
        settings.client_series,
        settings.series,
    )
    before = _before(settings)
    cardinality = Cardinality(caps, appender.series())
    return Tools(
        topics,
        Translator(topics, _tolerance(settings), cardinality.admit, appender.memory()),
        DeliveryRing(_deliveries(settings, appender, before), _ring_size(settings)),
        RateLimit(caps),
        cardinality,
        SkewWatch(appender.skews()),
        Observer(appender.open_connections(), before.beat_us or 0),
        RejectionLog(before.rejected),
        appender.identified,
    )


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        settings.intake_messages,
        settings.intake_mb * 1_000_000,
        settings.batch_age_ms / 1000,
    )


def _tolerance(settings: Settings) -> Tolerance:
    return Tolerance(parse_duration(settings.late_after), parse_duration(settings.future_tolerance))


def _deliveries(settings: Settings, appender: Appender, before: WriterState) -> Iterable[bytes]:
    """The last deliveries of the broker in force; those of another say nothing of its own."""
    broker = settings.existing_broker
    return appender.deliveries() if before.broker == (broker.place if broker else "") else ()


def _ring_size(settings: Settings) -> int:
    """A lost link makes everything in the intake come again, behind its first copy.

    The bound of `intake_messages` keeps it below 65 535, where packet identifiers come round.
    """
    return DELIVERIES_KEPT + settings.intake_messages


def _before(settings: Settings) -> WriterState:
    """What the collector before us said last."""
    with closing(open_querier(settings.store_path)) as querier, querier.snapshot() as snapshot:
        return snapshot.writer()

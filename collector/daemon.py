"""The collector's life: startup, loop, shutdown."""

from contextlib import closing

import structlog

from collector.intake import Bounds, Intake
from collector.redelivery import DeliveryRing
from collector.rejection import RejectionLog
from collector.session import PATIENCE_S, Endpoint, Session
from collector.subscriptions import Subscriptions
from collector.topics import Topics
from collector.translate import Tolerance, Translator
from collector.writer import Parts, Writer
from telemetry.clock import now_us
from telemetry.daemon import pid_file, prepare_folders, start_logging, stop_on_signal
from telemetry.interface import DELIVERIES_KEPT, Appender
from telemetry.login import Login, load_login
from telemetry.settings import Settings
from telemetry.store import open_appender, open_querier
from telemetry.window import parse_duration

PROCESS = "collector"
LOOPBACK = "127.0.0.1"
"""The broker's plain listener is on this machine alone; `mqtt_host` is what clients are told."""

_DRAIN_S = 1.5

log = structlog.get_logger("collector")


def run(settings: Settings) -> None:
    """Collects until SIGTERM or SIGINT; everything that was acknowledged is stored.

    Raises:
        TemplateError: If the topic templates cannot be used.
        DataFolderError: If the data folder cannot be used.
        SecretError: If our login is missing.
        AlreadyRunning: If another collector uses the same data folder.
        StoreError: If the store cannot be used.
    """
    topics = Topics(topic.template for topic in settings.topics)
    prepare_folders(settings)
    login = load_login(settings.secrets_dir / "collector.json")
    with pid_file(settings, PROCESS):
        start_logging(settings, PROCESS)
        with closing(open_appender(settings.store_path)) as appender:
            Collector(settings, topics, login, appender).run()


class Collector:
    """The parts of a collector, put together.

    Attributes:
        intake: Between the network thread and the writer.
        session: With the broker.
        writer: Runs on the thread that calls `run`.
    """

    def __init__(
        self, settings: Settings, topics: Topics, login: Login, appender: Appender
    ) -> None:
        endpoint = Endpoint(LOOPBACK, settings.mqtt_port, login)
        subscriptions = Subscriptions(settings.data_dir / "subscriptions.json", topics.filters)
        self.intake = Intake(_bounds(settings))
        self.session = Session(endpoint, self.intake, subscriptions, now_us)
        parts = Parts(
            appender,
            self.intake,
            self.session,
            Translator(topics, _tolerance(settings)),
            DeliveryRing(appender.deliveries(), _ring_size(settings)),
            settings.jobs_dir,
        )
        rejections = RejectionLog(_rejected_before(settings))
        self.writer = Writer(parts, settings.batch_readings, rejections, now_us)
        self._filters = topics.filters

    def run(self) -> None:
        """Startup, loop, shutdown."""
        stopping = stop_on_signal()
        self.session.start()
        self.writer.report()
        log.info("collecting", filters=self._filters)
        try:
            self.writer.run(stopping)
            self.session.finish()
            self.intake.close()
            self.writer.drain(_DRAIN_S)
        finally:
            self.session.stop()
        self.writer.report(stopped=True)
        settled = self.writer.statistics
        left = self.session.received - settled.messages
        log.info("stopped", stored=settled.stored, left_to_the_broker=left)


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        settings.intake_messages,
        settings.intake_mb * 1_000_000,
        settings.batch_age_ms / 1000,
        PATIENCE_S,
    )


def _tolerance(settings: Settings) -> Tolerance:
    return Tolerance(parse_duration(settings.late_after), parse_duration(settings.future_tolerance))


def _ring_size(settings: Settings) -> int:
    """A lost link makes everything in the intake come again, behind its first copy.

    The bound of `intake_messages` keeps it below 65 535, where packet identifiers come round.
    """
    return DELIVERIES_KEPT + settings.intake_messages


def _rejected_before(settings: Settings) -> int:
    with closing(open_querier(settings.store_path)) as querier, querier.snapshot() as snapshot:
        return snapshot.writer().rejected

"""Is it alive, is it ready, and how is it: for probes and Prometheus."""

from collections.abc import Sequence

from flask import Flask, Response, jsonify

from dashboard.faults import broker_fault, collector_fault
from mosquitto.renewal import Validity, authority_validity, broker_validity, http_validity
from telemetry.clock import Clock
from telemetry.interface import Querier, StoreError, StoreMissing
from telemetry.settings import Settings


def add_health(server: Flask, querier: Querier, settings: Settings, clock: Clock) -> None:
    """Adds /healthz, /readyz and /metrics."""

    @server.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @server.get("/readyz")
    def readyz() -> tuple[Response, int]:
        reasons = _reasons(querier, clock())
        return jsonify(ready=not reasons, reasons=reasons), 503 if reasons else 200

    @server.get("/metrics")
    def metrics() -> Response:
        return Response(
            _metrics(querier, settings, clock()), content_type="text/plain; version=0.0.4"
        )


def _reasons(querier: Querier, now_us: int) -> Sequence[str]:
    """Why it is not ready, without a path of this machine: strangers may ask."""
    try:
        with querier.snapshot() as snapshot:
            writer = snapshot.writer()
    except StoreMissing:
        return ["There is no store yet; start the collector: make collector"]
    except StoreError:
        return ["The store cannot be read; a page of the dashboard says why."]
    fault = collector_fault(writer, now_us) or broker_fault(writer, now_us)
    return [fault.partition(" See data/")[0]] if fault else []


def _metrics(querier: Querier, settings: Settings, now_us: int) -> str:
    """Prometheus text. A store that cannot be read is `culex_store_up 0`."""
    try:
        with querier.snapshot() as snapshot:
            writer, latest, sequence = snapshot.writer(), snapshot.latest(), snapshot.sequence
            damage = snapshot.damage()
    except StoreError:
        return "# TYPE culex_store_up gauge\nculex_store_up 0\n"
    rows = {
        "culex_store_up gauge": 1,
        "culex_collector_beat_age_seconds gauge": _age_seconds(writer.beat_us, now_us),
        "culex_broker_heard_age_seconds gauge": _age_seconds(writer.heard_us, now_us),
        "culex_broker_link_up gauge": int(writer.broker_up),
        "culex_messages_rejected_total counter": writer.rejected,
        "culex_commits_total counter": sequence,
        "culex_series gauge": len(latest),
        "culex_blocks_damaged gauge": len(damage),
        "culex_store_relieved_age_seconds gauge": _age_seconds(writer.relieved_us, now_us),
        "culex_certificate_days_left gauge": _days_left(broker_validity(settings), now_us),
        "culex_authority_days_left gauge": _days_left(authority_validity(settings), now_us),
        "culex_http_certificate_days_left gauge": _days_left(http_validity(settings), now_us),
        "culex_store_free_bytes gauge": "NaN" if writer.free_bytes is None else writer.free_bytes,
    }
    lines = (f"# TYPE {name}\n{name.split()[0]} {value}\n" for name, value in rows.items())
    return "".join(lines)


def _age_seconds(then_us: int | None, now_us: int) -> str:
    return "NaN" if then_us is None else f"{(now_us - then_us) / 1e6:.3f}"


def _days_left(validity: Validity | None, now_us: int) -> str:
    return "NaN" if validity is None else f"{validity.days_left(now_us):.3f}"

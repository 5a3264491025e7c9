"""Letting go: what would go is shown, confirmed, and then done by the collector."""

from typing import Any

import structlog
from dash import Dash, Input, Output, State, ctx, no_update
from flask_login import current_user  # type: ignore[import-not-found,unused-ignore]  # has no types

from dashboard.admin import panels
from dashboard.admin.forms import said
from dashboard.admin.retention import ask_retain, expiring_table, expiring_text, result_text
from dashboard.engine import Engine
from dashboard.rights import admins
from dashboard.view import ViewError, check_zone, view_of_json
from telemetry.fault import Fault
from telemetry.jobs import result_of

_LOG = structlog.get_logger(__name__)


def register_letting(app: Dash, engine: Engine) -> None:
    """Connects the buttons of the panel Retention."""

    @app.callback(
        Output(panels.EXPIRING, "children"),
        Output(panels.SURE_TEXT, "children"),
        Output(panels.LET_GO, "disabled"),
        Output(panels.OUTCOME, "children", allow_duplicate=True),
        Input(panels.DRY_RUN, "n_clicks"),
        State("view", "data"),
        State("browser", "data"),
        prevent_initial_call=True,
    )
    @admins
    def dry_run(_clicks: int, view: Any, browser: Any) -> tuple[object, ...]:  # Any: JSON
        return shown(engine, view, browser)

    @app.callback(
        Output(panels.SURE, "is_open"),
        Input(panels.LET_GO, "n_clicks"),
        Input(panels.CANCEL, "n_clicks"),
        Input(panels.CONFIRM, "n_clicks"),
        prevent_initial_call=True,
    )
    @admins
    def ask(_let_go: int, _cancel: int, _confirm: int) -> bool:
        return bool(ctx.triggered_id == panels.LET_GO)

    _register_job(app, engine)


def _register_job(app: Dash, engine: Engine) -> None:
    """Connects what hands the job over and what follows it."""

    @app.callback(
        Output(panels.JOB, "data"),
        Output(panels.OUTCOME, "children"),
        Output(panels.CLOCK, "disabled"),
        Output(panels.LET_GO, "disabled", allow_duplicate=True),
        Input(panels.CONFIRM, "n_clicks"),
        prevent_initial_call=True,
    )
    @admins
    def confirm(clicks: int) -> tuple[object, ...]:
        return begun(engine) if clicks else (no_update,) * 4

    @app.callback(
        Output(panels.OUTCOME, "children", allow_duplicate=True),
        Output(panels.CLOCK, "disabled", allow_duplicate=True),
        Output(panels.EXPIRING, "children", allow_duplicate=True),
        Input(panels.CLOCK, "n_intervals"),
        State(panels.JOB, "data"),
        prevent_initial_call=True,
    )
    @admins
    def watch(_intervals: int, job: Any) -> tuple[object, ...]:  # Any: JSON
        return watched(engine, str(job))


def shown(engine: Engine, view: object, browser: object) -> tuple[object, ...]:
    """What would go, in a table and in words; whether nothing would; and no outcome yet."""
    sent = browser if isinstance(browser, dict) else {}
    try:
        zone = check_zone(view_of_json(view), str(sent.get("zone") or "UTC"))
        now_us = engine.clock()
        found = engine.querier.expiring(engine.settings.policy.retention, now_us)
    except (Fault, ViewError) as error:
        return said(f"{error}."), "", True, None
    return expiring_table(found, zone), expiring_text(found), not found, None


def begun(engine: Engine) -> tuple[object, ...]:
    """The job's id, what is said meanwhile, and whether nothing is to be watched or pressed."""
    try:
        with engine.querier.snapshot() as snapshot:
            writer = snapshot.writer()
        engine.note("retain asked for", "readings that are over")
        job_id = ask_retain(engine.settings, writer, engine.clock())
    except Fault as error:
        return None, said(f"Not done: {error}."), True, False
    _LOG.info("retain asked for", user=str(getattr(current_user, "name", "")), job=job_id)
    return job_id, said("The collector is letting go …", "hourglass-split"), False, True


def watched(engine: Engine, job_id: str) -> tuple[object, ...]:
    """What became of the job, whether to stop watching, and the table, which is then over."""
    try:
        result = result_of(engine.settings.jobs_dir, job_id)
    except Fault as error:
        return said(f"{error}."), True, no_update
    if result is None:
        return no_update, no_update, no_update
    symbol = "exclamation-triangle-fill" if "error" in result else "check-circle-fill"
    return said(result_text(result), symbol), True, None

"""Replay from the page: the collector is asked, and asked again later what became of it."""

from dash import Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from dashboard.display import count_text
from dashboard.engine import Engine
from dashboard.faults import collector_fault
from dashboard.parts import icon
from dashboard.quality import names
from dashboard.quality.drawer import Json, choice_of
from dashboard.rights import operators_of_all
from mosquitto.access_file import AccessError
from telemetry.interface import StoreError
from telemetry.job import JobError, Replay, Result
from telemetry.jobs import result_of, submit, withdraw
from telemetry.quarantine import Choice
from telemetry.window import SECOND_US

_PATIENCE_US = 120 * SECOND_US
_SILENT = "Not done: the collector did not answer within two minutes; look into its log."
_PLACES = (
    (names.JOB, "data"),
    (names.JOB_TICKER, "max_intervals"),
    (names.RESULT, "children"),
    (names.PREVIEW, "disabled"),
    (names.REPLAY, "disabled"),
)
_SYMBOLS = {
    "good": "check-circle-fill",
    "bad": "exclamation-triangle-fill",
    "waiting": "hourglass",
}


def register_replay(app: Dash, engine: Engine) -> None:
    """Connects the buttons of the drawer."""

    @app.callback(
        *(Output(*place, allow_duplicate=True) for place in _PLACES),
        Input(names.PREVIEW, "n_clicks"),
        Input(names.REPLAY, "n_clicks"),
        State(names.OPENED, "data"),
        State(names.JOB_TICKER, "n_intervals"),
        prevent_initial_call=True,
    )
    @operators_of_all
    def ask(_preview: int, _replay: int, group: object, count: int) -> object:
        return once_more(asked(engine, group, dry_run=ctx.triggered_id == names.PREVIEW), count)

    @app.callback(
        *(Output(*place, allow_duplicate=True) for place in _PLACES),
        Output(names.OPENED, "data", allow_duplicate=True),
        Input(names.JOB_TICKER, "n_intervals"),
        State(names.JOB, "data"),
        State(names.OPENED, "data"),
        prevent_initial_call=True,
    )
    @operators_of_all
    def poll(count: int, job: object, group: object) -> object:
        return once_more(polled(engine, job, group), count)


def once_more(found: tuple[object, ...], count: int | None) -> tuple[object, ...]:
    """What is answered, with one more tick if there is something to wait for.

    Each answer asks for the next tick: while one is out there is no other, which would make the
    browser drop the answer to the first.
    """
    job, ended, *rest = found
    return job, 0 if ended is True else (count or 0) + 1, *rest


def asked(engine: Engine, group: object, *, dry_run: bool) -> tuple[object, ...]:
    """A job for the collector: the job, whether to wait for it, and what is said of it."""
    choice = choice_of(group)
    if choice is None:
        return _ended("Not done: no messages are chosen; close this and choose some.")
    try:
        with engine.querier.snapshot() as snapshot:
            fault = collector_fault(snapshot.writer(), engine.clock())
        if fault:
            return _ended(f"Not done: {fault}")
        if not dry_run:
            _note(engine, choice)
        job = submit(engine.settings.jobs_dir, Replay(choice, dry_run), engine.clock)
    except (JobError, StoreError, AccessError) as error:
        return _ended(f"Not done: {error}.")
    waiting = _said("The collector is decoding them …", "waiting")
    return {"id": job, "dry_run": dry_run}, False, waiting, True, True


def _note(engine: Engine, choice: Choice) -> None:
    engine.note("replay asked for", choice.topic or "(counted only)", reason=choice.reason or "")


def polled(engine: Engine, job: object, group: object) -> tuple[object, ...]:
    """What became of a job, or that it is not done yet; after a replay the drawer looks again."""
    if not isinstance(job, dict):
        return no_update, True, no_update, False, False, no_update
    job_id, dry_run = str(job.get("id", "")), bool(job.get("dry_run"))
    folder = engine.settings.jobs_dir
    try:
        result = result_of(folder, job_id)
    except JobError as error:
        return *_ended(f"Not done: {error}."), no_update
    if result is not None:
        looked = no_update if dry_run else _again(group)
        return None, True, replayed(result, dry_run=dry_run), False, False, looked
    if engine.clock() - int(job_id.partition("-")[0]) < _PATIENCE_US:
        return (no_update,) * 6
    withdraw(folder, job_id)
    return *_ended(_SILENT), no_update


def _ended(sentence: str) -> tuple[object, ...]:
    """No job is waited for, for that reason."""
    return None, True, _said(sentence, "bad"), False, False


def _again(group: object) -> object:
    """The drawer at its newest message; a count makes it look even if nothing else changed."""
    if not isinstance(group, dict):
        return no_update
    turn = group.get("turn")
    return group | {"before": None, "turn": (turn if isinstance(turn, int) else 0) + 1}


def replayed(result: Result, *, dry_run: bool) -> Component:
    """What became of a replay, or would become, in a sentence."""
    if "error" in result:
        return _said(f"Not done: {result['error']}.", "bad")
    counts: Json = {
        name: int(str(result.get(name, 0)))
        for name in ("messages", "released", "readings", "stored", "stay", "cut")
    }
    if not counts["messages"]:
        return _said("None of them is in quarantine any more.", "good")
    text = _outcome(counts, dry_run=dry_run) + _rest(counts)
    return _said(text, "good" if counts["released"] else "bad")


def _outcome(counts: Json, *, dry_run: bool) -> str:
    released = f"{count_text(counts['released'])} of {count_text(counts['messages'])} messages"
    if not counts["released"]:
        return (
            "None of them can be read yet. Change the topic template or the client, and restart "
            "the collector: it uses the templates that it was started with."
        )
    if dry_run:
        return (
            f"{released} would leave quarantine, with up to {count_text(counts['readings'])} "
            "new readings. Nothing was changed."
        )
    known = counts["readings"] - counts["stored"]
    repeated = f"; {count_text(known)} more were in the store before" if known > 0 else ""
    return (
        f"{released} left quarantine: {count_text(counts['stored'])} new readings are stored"
        f"{repeated}."
    )


def _rest(counts: Json) -> str:
    stay = f" {count_text(counts['stay'])} stay." if counts["stay"] else ""
    cut = f" {count_text(counts['cut'])} are not kept whole." if counts["cut"] else ""
    return stay + cut


def _said(text: str, how: str) -> html.P:
    return html.P([icon(_SYMBOLS[how]), html.Span(text)], className=f"quality-said quality-{how}")

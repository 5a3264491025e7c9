"""The page Admin: what only its keepers see, and what everybody may know."""

from functools import lru_cache

from dash import Dash, Output, dcc, html
from dash.development.base_component import Component
from flask import Response

from dashboard.admin import lists, panels
from dashboard.admin.diagnostics import bundle
from dashboard.admin.letting import register_letting
from dashboard.admin.people import people, register_people
from dashboard.admin.programs import register_tokens, tokens
from dashboard.admin.slow import Slow
from dashboard.admin.storage import Storage, client_table, storage_of, tier_table, tiles
from dashboard.admin.versions import versions
from dashboard.admin.visits import log, register_sessions, sessions
from dashboard.engine import Engine
from dashboard.page import Json, Look, Page
from dashboard.parts import alert, since
from dashboard.people import may
from dashboard.view import View
from mosquitto.access_users import ADMIN
from telemetry.origins import Effective, effective
from telemetry.settings import Settings

BUNDLE = "/admin/diagnostics.zip"
OUTPUTS = {
    "fault": Output(panels.FAULT, "children"),
    "tiles": Output(panels.TILES, "children"),
    "tiers": Output(panels.TIERS, "children"),
    "clients": Output(panels.CLIENTS, "children"),
    "counted": Output(panels.COUNTED, "children"),
    **lists.OUTPUTS,
}
_KEEP_US = 60_000_000
_ENGINES = 8


@lru_cache(maxsize=_ENGINES)
def _effective(settings: Settings) -> tuple[Effective, ...]:
    """As it was when this process first asked: culex.toml may have changed since."""
    return tuple(effective(settings))


@lru_cache(maxsize=_ENGINES)
def _storage(engine: Engine) -> Slow[Storage]:
    return Slow(lambda now_us: storage_of(engine.querier, engine.settings, now_us), _KEEP_US)


def layout(view: View, engine: Engine) -> Component:
    """The page for whoever asks: all of it for admins, versions for everybody."""
    if not may(ADMIN):
        seen = (panels.heading(), panels.not_for_you(), panels.versions(versions()))
        return html.Div([*seen, panels.unseen(OUTPUTS.values())])
    policy = engine.settings.policy
    return html.Div(
        [
            panels.heading(BUNDLE),
            panels.storage(),
            panels.retention(policy),
            html.Div(id=panels.WHO_FAULT, role="status"),
            people(),
            tokens(),
            sessions(),
            log(view),
            panels.settings(_effective(engine.settings)),
            panels.versions(versions()),
            dcc.Store(id=panels.JOB),
            dcc.Interval(id=panels.CLOCK, interval=1000, disabled=True),
        ]
    )


def answer(look: Look) -> Json:
    """Storage and who may look, where that changed; nothing for those who may not see it."""
    if not may(ADMIN):
        return {}
    stored, listed = _stored(look), lists.answer(look)
    return stored | listed | {"drawn": stored["drawn"] | listed["drawn"]}


def _stored(look: Look) -> Json:
    """Storage, once it was counted anew."""
    slow = _storage(look.engine)
    storage = slow.newest(look.now_us)
    fault = alert("exclamation-triangle-fill", f"{slow.fault}.", "warning") if slow.fault else None
    zone = str(look.style.zone)
    same = look.drawn.get("zone") == zone
    if storage is None or (same and storage.asked_us <= look.drawn.get("asked_us", 0)):
        return {"fault": fault, "drawn": look.drawn}
    return {
        "fault": fault,
        "tiles": tiles(storage, look.snapshot.writer()),
        "tiers": tier_table(storage.inventory, look.style.zone),
        "clients": client_table(storage.usage),
        "counted": [f"SQLite {storage.inventory.sqlite}, schema {storage.inventory.schema}. "
                    "Counted ", since(storage.asked_us), "."],
        "drawn": {"asked_us": storage.asked_us, "zone": zone},
    }  # fmt: skip


def register(app: Dash, engine: Engine) -> None:
    """Connects what lets go of readings, who may look, and the diagnostics bundle."""
    _effective(engine.settings)
    register_letting(app, engine)
    register_people(app, engine)
    register_tokens(app, engine)
    register_sessions(app, engine)

    @app.server.get(BUNDLE)  # type: ignore[untyped-decorator,unused-ignore]  # Dash says not which
    def diagnostics() -> Response:
        parts = bundle(engine.querier, engine.settings, _effective(engine.settings), engine.clock())
        answer = Response(parts, content_type="application/zip")
        answer.headers["Content-Disposition"] = 'attachment; filename="culex-diagnostics.zip"'
        return answer


PAGE = Page(
    name="admin",
    title="Admin",
    symbol="gear",
    outputs=OUTPUTS,
    layout=layout,
    answer=answer,
    register=register,
    timed=False,
    whole=True,
)

"""The lists of who may look: people, tokens, sessions, and what was changed."""

from collections.abc import Collection, Sequence
from datetime import UTC, tzinfo

from dash import Output, html
from dash.development.base_component import Component

from dashboard.admin import panels
from dashboard.admin.browsers import browser_text
from dashboard.admin.forms import opener
from dashboard.admin.known import Known, reader_of
from dashboard.admin.tables import Cell, cards
from dashboard.display import NOTHING, clock_text, printable
from dashboard.engine import Engine
from dashboard.page import Json, Look
from dashboard.parts import alert, icon, since
from dashboard.people import own_session
from dashboard.view import ViewError, check_zone, view_of_json
from mosquitto.access_audit import Audited
from mosquitto.access_file import AccessError
from mosquitto.access_seen import Grant
from mosquitto.access_sessions import Session
from mosquitto.access_tokens import METRICS, Token
from mosquitto.access_users import User
from telemetry.words import counted

FILTER = "log"
"""The option of the view by which changes are chosen."""

LOG_SHOWN = 200
_GRANTS_SHOWN = 4
_SCOPES = {METRICS: "/metrics alone"}

OUTPUTS = {
    "who_fault": Output(panels.WHO_FAULT, "children"),
    "people": Output(panels.PEOPLE, "children"),
    "tokens": Output(panels.TOKENS, "children"),
    "sessions": Output(panels.SESSIONS, "children"),
    "log": Output(panels.LOG, "children"),
}
"""What a tick answers of it, and each callback that changes something."""


def duplicates() -> dict[str, Output]:
    """The same outputs, for a callback besides the one that ticks."""
    return {
        name: Output(one.component_id, one.component_property, allow_duplicate=True)
        for name, one in OUTPUTS.items()
    }


def answer(look: Look) -> Json:
    """The lists, if anything of them changed since the last look."""
    zone, words = look.style.zone, look.view.option(FILTER)
    try:
        known, stamp = reader_of(look.engine).newest()
    except AccessError as error:
        text = f"Who may look cannot be read: {error}."
        fault = alert("exclamation-triangle-fill", text, "warning")
        return {"who_fault": fault, "drawn": {"who": ""}}
    drawn = {"who": f"{stamp} {zone} {words}"}
    if look.drawn.get("who") == drawn["who"]:
        return {"drawn": drawn}
    return lists(known, zone, words, look.now_us) | {"drawn": drawn}


def after(engine: Engine, sent_view: object, browser: object) -> Json:
    """The lists after a change that was just made, as the page that made it shows them."""
    view = view_of_json(sent_view)
    try:
        zone = check_zone(view, str(browser.get("zone")) if isinstance(browser, dict) else "")
    except ViewError:
        zone = UTC
    try:
        known, _ = reader_of(engine).newest()
    except AccessError:  # the next tick says so
        return {}
    return lists(known, zone, view.option(FILTER), engine.clock())


def lists(known: Known, zone: tzinfo, words: str, now_us: int) -> Json:
    """All four, by the names of their outputs; no fault."""
    return {
        "who_fault": None,
        "people": people_list(known, zone),
        "tokens": token_list(known.tokens, zone, now_us),
        "sessions": session_list(known.sessions, zone),
        "log": log_list(known.log, zone, words),
    }


def people_list(known: Known, zone: tzinfo) -> html.Div:
    """The users; the name of one opens its form."""
    heads = ("Name", "Role", "Sees", "State", "Created by", "Password changed", "Sessions")
    rows = [
        (
            opener(panels.PERSON_CHOSEN, one.name, [html.Span(printable(one.name)), icon("pencil")],
                   "btn admin-open"),
            one.role, sees_text(one.seen), _state(one), _creator(one.created_by),
            clock_text(one.credential_us, zone)[:16] if one.password_hash else "logs in elsewhere",
            Cell(str(known.sessions_of(one.name))),
        )
        for one in known.users
    ]  # fmt: skip
    return cards("People", heads, rows, "Nobody may look yet.")


def sees_text(seen: Collection[Grant]) -> str:
    """Whose charts are seen.

    >>> sees_text([]), sees_text([Grant("tag", "cellar")])
    ('all', 'tag:cellar')
    """
    texts = [printable(str(one)) for one in seen]
    more = len(texts) - _GRANTS_SHOWN
    return ", ".join(texts[:_GRANTS_SHOWN]) + (f" and {more} more" if more > 0 else "") or "all"


def _state(user: User) -> html.Span:
    if user.enabled:
        return html.Span([icon("check-circle"), html.Span("may log in")], className="admin-origin")
    signs = [icon("slash-circle"), html.Span("disabled")]
    return html.Span(signs, className="admin-origin set")


def _creator(name: str) -> str:
    return printable(name) or NOTHING


def token_list(tokens: Sequence[Token], zone: tzinfo, now_us: int) -> html.Div:
    """The tokens, each with the way to remove it."""
    heads = ("Name", "Opens", "Sees", "Expires", "Created by", "Remove")
    rows = [
        (
            printable(one.name), _SCOPES.get(one.scope, "API and /metrics"), sees_text(one.seen),
            _expiry(one.expires_us, zone, now_us), _creator(one.created_by),
            _row_button(panels.TOKEN_CHOSEN, one.name, "Remove …", one.name),
        )
        for one in tokens
    ]  # fmt: skip
    return cards("Tokens", heads, rows, "No program may read yet.")


def _expiry(expires_us: int | None, zone: tzinfo, now_us: int) -> str:
    if expires_us is None:
        return "never"
    over = "over since " if expires_us <= now_us else ""
    return f"{over}{clock_text(expires_us, zone)[:16]}"


def _row_button(to: str, about: str, words: str, whose: str) -> html.Button:
    hidden = html.Span(f" {printable(whose)}", className="visually-hidden")
    return opener(to, about, [html.Span([words, hidden])], "btn")


def session_list(sessions: Sequence[Session], zone: tzinfo) -> html.Div:
    """Who is logged in, each with the way to end that; the reader's own is marked."""
    own = own_session()
    heads = ("User", "Since", "Last used", "Address", "Browser", "End")
    rows = [
        (
            html.Span([printable(one.user), *_mark(one.digest == own)]),
            clock_text(one.begun_us, zone)[:16], since(one.used_us), printable(one.address),
            printable(browser_text(one.agent)),
            _row_button(panels.SESSION_CHOSEN, one.digest.hex(), "End",
                        f"the session of {one.user}"),
        )
        for one in sessions
    ]  # fmt: skip
    return cards("Sessions", heads, rows, "Nobody is logged in with a session.")


def _mark(own: object) -> list[Component]:
    return [html.Small("yours", className="admin-mark")] if own else []


def log_list(log: Sequence[Audited], zone: tzinfo, words: str) -> html.Div:
    """The newest changes that have all of those words."""
    sought = words.casefold().split()
    found = [one for one in log if _has(one, sought)] if sought else log
    heads = ("Time", "Who", "From", "What", "Of", "Facts")
    rows = [(clock_text(one.time_us, zone)[:19], *_texts(one)) for one in found[:LOG_SHOWN]]
    none = "No change fits; search for something else." if words else "Nothing was changed yet."
    return html.Div(
        [
            html.P(_shown(len(found), len(log), sought), className="caption admin-text"),
            cards("Audit log", heads, rows, none),
        ]
    )


def _texts(one: Audited) -> tuple[str, ...]:
    facts = ", ".join(f"{name}: {value}" for name, value in one.facts.items())
    said = one.actor.name, one.actor.origin, one.action, one.object, facts
    return tuple(map(printable, said))


def _has(one: Audited, sought: Sequence[str]) -> bool:
    text = " ".join(_texts(one)).casefold()
    return all(word in text for word in sought)


def _shown(found: int, known: int, sought: Sequence[str]) -> str:
    fitting = f"{found} of the newest {counted(known, 'change')} fit" if sought else ""
    least = f"the newest {LOG_SHOWN} are shown" if found > LOG_SHOWN else ""
    return "; ".join(filter(None, (fitting, least))).capitalize()

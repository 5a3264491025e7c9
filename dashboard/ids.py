"""Identifiers of components that callbacks name: those of the shell, and those all pages share.

A page's own identifiers begin with its name and stand in its package.
"""

URL = "place"
"""Where the browser is: `{"path", "search"}`; a store, since the view alone writes the address."""

PAGE = "page"
BODY = "body"
NOTICE = "notice"
NAVIGATION = "navigation"

VIEW = "view"
DRAWN = "drawn"
TICKER = "ticker"
ACK = "ack"
AS_OF = "as-of"
PERIOD = "period"
SLOWEST = "slowest"
BROWSER = "browser"
DRAGGED = "dragged"
THEME = "theme"

STATUS = "status"
BANNER = "banner"
UPDATED = "updated"
THEME_BUTTON = "theme-button"
HELP = "help"
HELP_BUTTON = "help-button"

RANGE = "range"
FOLLOW = "follow"
FOLLOW_TEXT = "follow-text"
FROM = "from"
TO = "to"
APPLY = "apply"
BACK = "back"
FORWARD = "forward"
WIDER = "wider"
ZONE = "zone"
REFRESH = "refresh"
REFRESH_NOW = "refresh-now"
TIME_LABEL = "time-label"


def ask(page: str) -> str:
    """The store whose every new value is a question of that page."""
    return f"{page}-ask"


def link(page: str) -> str:
    """The link to that page in the navigation."""
    return f"to-{page}"


def choice(name: object) -> dict[str, object]:
    """A control whose value is that part of the view: client, clients, metric, metrics, spans."""
    return {"choice": name}


def option(name: object) -> dict[str, object]:
    """A control whose value is the view's option of that name."""
    return {"option": name}


def chart(name: object) -> dict[str, object]:
    """A chart over time: dragging a range in it moves the view there."""
    return {"chart": name}

"""What a broker does not tell, why, and what to do: for brokers that are not our own too."""

from dash import html

from dashboard.broker.connections import Listed
from dashboard.broker.facts import OURS, Figures
from dashboard.faults import collector_fault
from dashboard.parts import icon
from telemetry.condition import WriterState
from telemetry.window import SECOND_US
from telemetry.words import counted

_FIRST_US = 30 * SECOND_US

_FIRST = "The broker says its figures every ten seconds: the first ones come in a moment."
_NONE = (
    "The broker tells no figures of itself, so its version, clients, messages and drops are not "
    "known; the collector's own figures are complete. Nothing arrives below $SYS/broker/#: let the "
    "collector's user read it, and see that the broker publishes it (Mosquitto: sys_interval 10)."
)
_NO_LOG = (
    "None of them is seen here. If they came before the collector started, they are listed when "
    "they connect again. If it stays so, the broker does not publish its log: add "
    "log_dest topic and let the collector's user read $SYS/broker/log/#."
)


def missing(figures: Figures, writer: WriterState, now_us: int) -> html.P | None:
    """Why there are no figures of the broker; None if there are, or if there is no link."""
    if figures.has("broker") or not writer.broker_up or collector_fault(writer, now_us):
        return None
    young = now_us - (writer.broker_since_us or 0) < _FIRST_US
    return html.P([icon("info-circle"), _FIRST if young else _NONE], className="broker-missing")


def uncounted(figures: Figures, found: Listed) -> str:
    """How many clients the broker counts, if those listed as open are others; or nothing."""
    number = figures.number("broker", "clients.connected")
    others = 0 if number is None else max(0, int(number) - OURS)
    if number is None or others == found.all_open:
        return ""
    text = f"The broker counts {counted(others, 'client')} beside Culex's own."
    return f"{text} {_NO_LOG}" if others and not found.known else text

"""How long clients will accept the broker's certificate, as a tile."""

from dashboard.broker.facts import Fact
from dashboard.display import NOTHING
from mosquitto.renewal import Validity, authority_validity, broker_validity
from telemetry.settings import Settings

FEW_DAYS = 21
"""Culex renews its own with more than a hundred left: fewer than these and something is wrong."""

FEW_DAYS_OF_AUTHORITY = 180
"""A fleet needs time to be given a new one."""


def certificate(settings: Settings, now_us: int) -> Fact:
    """The tile; a certificate that cannot be read from here is not known."""
    broker, authority = broker_validity(settings), authority_validity(settings)
    if broker is None:
        return Fact("Certificate", NOTHING, note=["of the broker: cannot be read from here"])
    days = broker.days_left(now_us)
    if days <= 0:
        return Fact(
            "Certificate", "expired", note=[f"no client connects: {_remedy(broker)}"], bad=True
        )
    if days < FEW_DAYS:
        return Fact("Certificate", *_left(days), [f"expires soon: {_remedy(broker)}"], bad=True)
    if not broker.brought and authority is not None:
        rest = authority.days_left(now_us)
        if rest < FEW_DAYS_OF_AUTHORITY:
            left = " ".join(_left(rest))
            begin = ".venv/bin/python -m mosquitto ca trust"
            note = f"its authority has {left}; to replace it, begin with: {begin}"
            return Fact("Certificate", *_left(days), [note], bad=True)
    note = "your own: renew its files" if broker.brought else "renewed by Culex itself"
    return Fact("Certificate", *_left(days), [note])


def _left(days: float) -> tuple[str, str]:
    """How long in whole days, the last of which is not over.

    >>> _left(396.7), _left(1.2), _left(0.3)
    (('396', 'days left'), ('1', 'day left'), ('0', 'days left'))
    """
    whole = int(max(0.0, days))
    return str(whole), "day left" if whole == 1 else "days left"


def _remedy(broker: Validity) -> str:
    if broker.brought:
        return "put a newer one in its files, then run: .venv/bin/python -m mosquitto renew"
    return "to see why it was not renewed, run: .venv/bin/python -m mosquitto renew"

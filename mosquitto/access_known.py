"""Which clients have a login, for those who only ask why there is no data."""

from collections.abc import Mapping
from pathlib import Path

from mosquitto.access_file import AccessError, opened
from telemetry.settings import Settings


def known_clients(path: Path) -> Mapping[str, bool]:
    """Each client by name, and whether the broker lets it in.

    Raises:
        AccessError: If the file cannot be used.
    """
    with opened(path) as database:
        rows = database.execute("SELECT name, enabled FROM client ORDER BY name").fetchall()
    return {row["name"]: bool(row["enabled"]) for row in rows}


def clients_here(settings: Settings) -> Mapping[str, bool] | None:
    """The same, or `None` where nobody knows: at an existing broker, or without the file.

    Nothing is made that is not there.
    """
    if settings.existing_broker is not None:
        return None
    try:
        return known_clients(settings.access_path) if settings.access_path.exists() else None
    except (AccessError, OSError):  # another account's, or damaged: what else is known can be told
        return None

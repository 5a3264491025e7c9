"""What is known of clients, as rows of access.db."""

import json

from mosquitto.access_change import Change
from mosquitto.access_file import ChangedMeanwhile, Database, Row
from mosquitto.detail import Detail, Kept


def read_detail(database: Database, client: str) -> Kept | None:
    """What people know of a client, or `None` if nobody said anything."""
    row = database.execute("SELECT * FROM detail WHERE client = ?", (client,)).fetchone()
    return kept_of(row) if row else None


def check_unchanged(kept: Kept | None, expected_us: int) -> None:
    """What is known is what somebody saw, who changes it now.

    Raises:
        ChangedMeanwhile: If it was changed since.
    """
    if (kept.changed_us if kept else 0) != expected_us:
        who = kept.changed_by if kept else "somebody"
        raise ChangedMeanwhile(
            f"these details were changed by {who} meanwhile; close the form and open it again"
        )


def write_detail(change: Change, detail: Detail) -> None:
    """That is known of the client from now on; an empty one is forgotten."""
    kept = (*_texts(detail), change.now_us, change.by.name)
    change.database.execute("DELETE FROM detail WHERE client = ?", (detail.client,))
    if not detail.is_empty:
        change.database.execute("INSERT INTO detail VALUES (?, ?, ?, ?, ?, ?, ?, ?)", kept)
    change.note("client details changed", detail.client)


def kept_of(row: Row) -> Kept:
    """What a row says."""
    names = ("client", "description", "serial_number", "mac_address", "notes")
    texts = {name: row[name] for name in names}
    detail = Detail(**texts, tags=tuple(json.loads(row["tags"])))
    return Kept(detail, row["changed_us"], row["changed_by"])


def _texts(detail: Detail) -> tuple[str, ...]:
    tags = json.dumps(list(detail.tags), ensure_ascii=False)
    said = detail.description, detail.serial_number, detail.mac_address
    return (detail.client, *said, tags, detail.notes)

"""What callbacks need of the world."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.people import actor
from dashboard.sight import seen, seen_names
from mosquitto.access import Access, AccessError
from mosquitto.access_change import Notes
from mosquitto.access_known import clients_here
from mosquitto.detail import Kept
from telemetry.clock import Clock
from telemetry.interface import Querier
from telemetry.settings import Settings

_NOTED = 200  # of a topic, which may have 65 535 bytes


@dataclass(frozen=True, slots=True)
class Engine:
    """The store, the settings, and the clock.

    Attributes:
        store: All of the store, for what belongs to nobody; pages ask `querier`.
        settings: What is set.
        clock: The present.
    """

    store: Querier
    settings: Settings
    clock: Clock

    @property
    def querier(self) -> Querier:
        """The store as whoever asks now may see it.

        Raises:
            AccessError: If access.db cannot be read.
        """
        return seen(self.store, self.settings.access_path)

    @property
    def access(self) -> Access:
        """Who may speak, and what is known of clients; changed by whoever asks now."""
        return Access(self.settings.access_path, actor(), self.clock)

    def note(self, action: str, of: str, **facts: str) -> None:
        """The audit log holds what whoever asks now has done elsewhere than in access.db.

        Raises:
            AccessError: If it cannot be written; then nothing is to be done.
        """
        notes = Notes(self.settings.access_path, actor(), self.clock)
        notes.note(action, of[:_NOTED], **facts)

    def detail(self, client: str) -> Kept | None:
        """What people know of a client, if whoever asks now may see it."""
        return self.access.detail(client) if self.sees(client) else None

    def known_clients(self) -> Mapping[str, bool] | None:
        """The clients with a login and whether each is let in, of those whoever asks may see.

        `None` where nobody knows: at an existing broker, or if access.db cannot be used.
        """
        known = clients_here(self.settings)
        if known is None:
            return None
        try:
            names = seen_names(self.settings.access_path)
        except AccessError:
            return None
        return {one: is_in for one, is_in in known.items() if names is None or one in names}

    def sees(self, client: str) -> bool:
        """Whether whoever asks now may see that client."""
        names = seen_names(self.settings.access_path)
        return names is None or client in names

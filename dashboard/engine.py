"""What callbacks need of the world."""

from dataclasses import dataclass

from telemetry.clock import Clock
from telemetry.interface import Querier
from telemetry.settings import Settings


@dataclass(frozen=True, slots=True)
class Engine:
    """The store to ask, the settings, and the clock."""

    querier: Querier
    settings: Settings
    clock: Clock

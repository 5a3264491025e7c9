"""Why a message, or a part of it, is not a reading; counted by reason, logged within bounds."""

from collections import Counter
from dataclasses import dataclass

import structlog

from collector.message import Message
from telemetry.window import SECOND_US

LINES_PER_S = 5
_SHOWN_BYTES = 200

log = structlog.get_logger("collector.rejection")


class Rejected(Exception):
    """What arrived is no reading.

    Attributes:
        reason: A short fixed word, the same for the same fault.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fault:
    """A part of a message that is no reading.

    Attributes:
        reason: A short fixed word.
        metric: The metric it would have been, or an empty string for the whole message. A name
            too long for one is cut; where a payload has very many faults, `…` stands for the rest.
    """

    reason: str
    metric: str = ""


class RejectionLog:
    """Counts every rejection by reason and logs the first few of each second.

    Args:
        before: How many there were before this process.
    """

    def __init__(self, before: int = 0) -> None:
        self._before = before
        self.counts: Counter[str] = Counter()
        self._second = 0
        self._written = 0
        self._withheld = 0

    @property
    def total(self) -> int:
        """How many rejections there ever were, for all reasons together."""
        return self._before + self.counts.total()

    def note(self, message: Message, fault: Fault) -> None:
        """Counts the fault, and says which message had it if this second has lines left."""
        self.counts[fault.reason] += 1
        self._turn(message.received_us // SECOND_US)
        if self._written >= LINES_PER_S:
            self._withheld += 1
            return
        self._written += 1
        log.warning(
            "rejected",
            reason=fault.reason,
            metric=repr(fault.metric[:_SHOWN_BYTES]),
            topic=repr(message.topic[:_SHOWN_BYTES]),
            payload=repr(message.payload[:_SHOWN_BYTES]),
            bytes=len(message.payload),
        )

    def _turn(self, second: int) -> None:
        if second == self._second:
            return
        if self._withheld:
            log.warning("rejected more than is logged", count=self._withheld)
        self._second, self._written, self._withheld = second, 0, 0

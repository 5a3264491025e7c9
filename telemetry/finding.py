"""A finding: what is wrong, or not, by what that is known, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from telemetry.window import to_iso
from telemetry.words import age_text


class Severity(StrEnum):
    """How bad a finding is, from the worst on."""

    FAIL = "fail"
    WARN = "warn"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        code: A short fixed word for it.
        severity: How bad it is.
        seen: What was seen, in a sentence without its full stop; may hold foreign text.
        cause: What that means, likewise, or an empty string.
        remedy: What to do, one sentence in the imperative likewise, or an empty string.
        times: How often it was seen; 0 for a state, whose words say since when.
        last_us: When it was last seen, in microseconds since 1970 UTC, or None if that is now.
    """

    code: str
    severity: Severity
    seen: str
    cause: str = ""
    remedy: str = ""
    times: int = 0
    last_us: int | None = None

    def when(self, now_us: int) -> str:
        """How often and how long ago it was seen, or an empty string for a state.

        >>> Finding("a", Severity.OK, "", times=3, last_us=0).when(5_000_000)
        '3 times, last 5 s ago'
        """
        if self.last_us is None or not self.times:
            return ""
        age = age_text(now_us - self.last_us)
        return f"{self.times} times, last {age}" if self.times > 1 else age

    def record(self) -> dict[str, object]:
        """The same for JSON, with the time as ISO 8601."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "seen": self.seen,
            "cause": self.cause,
            "remedy": self.remedy,
            "times": self.times,
            "last": None if self.last_us is None else to_iso(self.last_us),
        }


def worst(findings: Iterable[Finding]) -> Severity:
    """The severity of the worst of them; OK if there is none."""
    order = list(Severity)
    return min((one.severity for one in findings), key=order.index, default=Severity.OK)


def sentence(text: str) -> str:
    """The text with a capital and a full stop.

    >>> sentence("send 21.5 for 21,5")
    'Send 21.5 for 21,5.'
    """
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) else ".")


def lowered(text: str) -> str:
    """The text as it goes on after a colon.

    >>> lowered("It does not trust our certificate")
    'it does not trust our certificate'
    """
    return f"{text[:1].lower()}{text[1:]}"

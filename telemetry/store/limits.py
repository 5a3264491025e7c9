"""How large an answer may be that is held in memory as a whole."""

from telemetry.interface import TooMuch

MOST_ROWS = 5_000_000
"""Readings or buckets of one series: 200 MB, and more than any screen or person can take in."""


def check_rows(rows: int, most: float) -> None:
    """Refuses an answer that is too large.

    Raises:
        TooMuch: If it has more rows than that.
    """
    if rows > most:
        raise TooMuch(
            f"the answer has more than {most} rows; ask for a narrower window or wider buckets"
        )

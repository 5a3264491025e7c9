"""How long to wait before the next attempt."""

import random


class Backoff:
    """Waits that grow, and are never the same for two who were refused together.

    >>> backoff = Backoff(1.0, 5.0)
    >>> [wait <= bound for wait, bound in zip((backoff.next_s() for _ in range(4)), (1, 2, 4, 5))]
    [True, True, True, True]
    """

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._wait_s = first_s

    def next_s(self, lasted_s: float = 0.0) -> float:
        """The wait after an attempt; one that lasted makes the waits begin anew."""
        if lasted_s > 2 * self._longest_s:
            self._wait_s = self._first_s
        wait_s, self._wait_s = self._wait_s, min(self._wait_s * 2, self._longest_s)
        return wait_s * random.uniform(0.5, 1.0)  # noqa: S311  # spreads attempts, hides nothing

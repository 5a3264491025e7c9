"""What a rolling mean looks back on, carried from one part of an answer to the next."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from telemetry.interface import Answer
from telemetry.reading import Series
from telemetry.window import Window


class Lookback:
    """Widens the parts of a long answer, so that no part reads again what one before it read.

    It holds no more than one part and the look-back before it.

    Args:
        lookback_us: How far before a part its first mean reaches.
    """

    def __init__(self, lookback_us: int) -> None:
        self._lookback_us = lookback_us
        self._held: dict[Series, deque[pd.DataFrame]] = {}

    def take(self, window: Window, answers: Sequence[Answer]) -> None:
        """Holds what was read of a window, and lets go of what the next one cannot reach.

        Windows come in order and do not overlap.
        """
        reach_us = window.start_us - self._lookback_us
        for answer in answers:
            held = self._held.setdefault(answer.series, deque())
            while held and held[0]["time_us"].iloc[-1] < reach_us:
                held.popleft()
            if len(answer.frame):
                held.append(answer.frame)

    def widened(self, window: Window, answers: Sequence[Answer]) -> Sequence[Answer]:
        """The answers of the window taken last, with the look-back in front."""
        reach_us = window.start_us - self._lookback_us
        return [self._widened(answer, reach_us) for answer in answers]

    def _widened(self, answer: Answer, reach_us: int) -> Answer:
        held = self._held[answer.series]
        if not held:
            return answer
        frame = pd.concat(held, ignore_index=True)
        frame = frame[frame["time_us"] >= reach_us].reset_index(drop=True)
        self._held[answer.series] = deque([frame] if len(frame) else [])
        return replace(answer, frame=frame)

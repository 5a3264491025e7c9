"""The names of rows as categories: each row has but their numbers."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from telemetry.reading import Latest


class Names:
    """The names of the series of one client.

    Args:
        client: Its name.
        series: Its series, by metric.
    """

    def __init__(self, client: str, series: Sequence[Latest]) -> None:
        units = [one.unit for one in series]
        self._client = pd.CategoricalDtype([client])
        self._metric = pd.CategoricalDtype([one.series.metric for one in series])
        self._unit = pd.CategoricalDtype(list(dict.fromkeys(units)))
        numbers = {unit: number for number, unit in enumerate(self._unit.categories)}
        self._units = np.array([numbers[unit] for unit in units], dtype=np.int64)

    def given(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows with `client`, `metric` and `unit` instead of `place`, that of their series."""
        places = rows["place"].to_numpy()
        codes = {
            "client": (np.zeros_like(places), self._client),
            "metric": (places, self._metric),
            "unit": (self._units[places], self._unit),
        }
        named = {
            name: pd.Categorical.from_codes(numbers, dtype=kind)
            for name, (numbers, kind) in codes.items()
        }
        return rows.drop(columns="place").assign(**named)

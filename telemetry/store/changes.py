"""What a series of states comes down to."""

import pandas as pd


def changes(readings: pd.DataFrame, gap_us: float) -> pd.DataFrame:
    """Where states begin and end among readings, as in `telemetry.interface.Snapshot.changes`."""
    gaps = readings["time_us"].diff()
    after_gap = gaps > gap_us
    same = [
        (readings[name] == readings[name].shift())
        | (readings[name].isna() & readings[name].shift().isna())
        for name in ("value", "text")
    ]
    ends = after_gap.shift(-1, fill_value=True)
    kept = ~(same[0] & same[1]) | after_gap | ends
    kept.iloc[:1] = True
    found = readings.assign(after_gap=after_gap)[kept.to_numpy(dtype=bool)]
    return found[["time_us", "value", "text", "after_gap"]].reset_index(drop=True)

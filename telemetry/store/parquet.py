"""Export parts as one Parquet file, written as a stream."""

from collections.abc import Iterable, Iterator, Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

_TEXT = pa.dictionary(pa.int32(), pa.string())
_COLUMNS = (
    pa.field("client", _TEXT),
    pa.field("metric", _TEXT),
    pa.field("time", pa.timestamp("us", tz="UTC")),
    pa.field("value", pa.float64()),
    pa.field("text", pa.string()),
    pa.field("unit", _TEXT),
    pa.field("delay_ms", pa.int64()),
    pa.field("flags", pa.int32()),
)


class _Sink:
    """Takes what the writer writes until it is drained; knows its position, never seeks."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing is held back."""

    def drain(self) -> bytes:
        data, self._parts = b"".join(self._parts), []
        return data


def parquet_bytes(parts: Iterable[pd.DataFrame], names: Sequence[str]) -> Iterator[bytes]:
    """The bytes of a Parquet file with the columns of the disk format, a row group per part.

    Args:
        parts: From `telemetry.export_rows.export_rows`.
        names: The columns of the rolling means.
    """
    schema = pa.schema([*_COLUMNS, *(pa.field(name, pa.float64()) for name in names)])
    sink = _Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for part in parts:
            writer.write_table(_table(part, schema))
            yield sink.drain()
    yield sink.drain()


def _table(part: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    frame = part.assign(
        time=part["time_us"],
        delay_ms=(part["received_us"] - part["time_us"]).where(part["received_us"] > 0, 0) // 1000,
    )
    arrays = [
        pa.array(frame[field.name], from_pandas=True).cast(field.type)
        if field.name != "text"
        else pa.array(frame["text"], type=pa.string())
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)

"""`python -m tests.benchmarks.tabs JOB SECONDS`: open tabs that ask once a second, over HTTP.

JOB is a JSON file: `port`, `tabs`, `path`, `headers`, and `body`, a callback of Dash without its
number and what was drawn; without a body the path is got. It says `ready`, begins with a line on
its input, opens one tab after the other, two a second, and says `open`. People open theirs at any
part of a second, so these are spread over it. From then on it measures, and says `took` with the
median and the 95th percentile of the latency in ms, the mean bytes of an answer, and how many
answers there were.
"""

import asyncio
import gzip
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

Json = dict[str, Any]  # what a browser sends and gets
Took = list[tuple[float, int]]
OPENED_EVERY_S = 0.5
GOLDEN = 0.618  # of a second from tab to tab: never two at the same part of it


class Connection:
    """A connection that is made again when the server has closed it, as it does when it idles."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[bytes, int]:
        """The answer to a request, and how many bytes it had."""
        for _ in range(3):
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            try:
                writer.write(request)
                return await _answer(reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                self.close()
        raise ConnectionError("the server closes every connection")

    def close(self) -> None:
        """Ends it; safe to call twice."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


async def tab(job: Json, number: int, begin_s: float, end_s: float) -> Took:
    """One tab: the latency and the size of each answer that it asked for after the beginning."""
    connection = Connection(job["port"])
    took: Took = []
    drawn: Json = {}
    await asyncio.sleep(number * OPENED_EVERY_S + number * GOLDEN % 1)
    asked = 0
    while time.monotonic() < end_s:
        start, asked = time.monotonic(), asked + 1
        body, size = await connection.ask(_request(job, asked, drawn))
        if start >= begin_s:
            took.append((time.monotonic() - start, size))
        if job["body"]:
            drawn = json.loads(body)["response"].get("drawn", {"data": drawn})["data"]
        await asyncio.sleep(max(0.0, start + 1 - time.monotonic()))
    connection.close()
    return took


def _request(job: Json, number: int, drawn: Json) -> bytes:
    head = "".join(f"{name}: {value}\r\n" for name, value in job["headers"].items())
    if not job["body"]:
        return f"GET {job['path']} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode()
    body = dict(job["body"])
    value = body["inputs"][0]["value"] | {"number": number}
    body["inputs"] = [body["inputs"][0] | {"value": value}]
    body["state"] = [body["state"][0] | {"value": drawn}]
    sent = json.dumps(body).encode()
    start = f"POST {job['path']} HTTP/1.1\r\nHost: localhost\r\n{head}"
    return f"{start}Content-Length: {len(sent)}\r\n\r\n".encode() + sent


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, int]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    assert head.startswith("http/1.1 200"), head
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    body = await reader.readexactly(length)
    return (gzip.decompress(body) if "content-encoding: gzip" in head else body), length


async def _tabs(job: Json, seconds: float) -> list[Took]:
    begin_s = time.monotonic() + OPENED_EVERY_S * job["tabs"] + 3
    asyncio.get_running_loop().call_later(begin_s - time.monotonic(), say, "open")
    tabs = (tab(job, number, begin_s, begin_s + seconds) for number in range(job["tabs"]))
    return await asyncio.gather(*tabs)


def main() -> None:
    """Opens the tabs."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    say("ready")
    sys.stdin.readline()
    took = [one for tab in asyncio.run(_tabs(job, float(sys.argv[2]))) for one in tab]
    times = sorted(1e3 * latency for latency, _ in took)
    size = statistics.mean(size for _, size in took)
    p95 = times[int(0.95 * (len(times) - 1))]
    say(f"took {statistics.median(times)} {p95} {size} {len(took)}")


def say(line: str) -> None:
    """Writes a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""A TCP proxy that does to a connection what networks do: cut, reset, freeze, delay, dribble."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.support import free_port

_CHUNK_BYTES = 65_536
_LINGER_0 = struct.pack("ii", 1, 0)  # close with RST instead of FIN


@dataclass(frozen=True, slots=True)
class Pace:
    """How the proxy forwards, for all connections and both directions.

    Attributes:
        delay_s: How long each piece waits.
        piece_bytes: How much goes on at once.
    """

    delay_s: float = 0.0
    piece_bytes: int = _CHUNK_BYTES


AT_ONCE = Pace()
BYTE_BY_BYTE = Pace(0.0003, 1)
LATE = Pace(0.2)


class _Pair:
    """One connection through the proxy: two sockets, two directions."""

    def __init__(self, *writers: asyncio.StreamWriter) -> None:
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._writers = writers

    def close(self) -> None:
        """Closes both sides with FIN."""
        for writer in self._writers:
            writer.close()

    def reset(self) -> None:
        """Closes both sides with RST."""
        for writer in self._writers:
            plain: socket.socket = writer.get_extra_info("socket")
            with suppress(OSError):  # closed already
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
            writer.transport.abort()


class Proxy:
    """Forwards a port of this machine to another, in a thread of its own; use it in a `with` block.

    What is done to connections is done to those there are: the next one gets through. Only
    `refuse` and `pace` hold for later ones.

    Attributes:
        port: Where it listens.
        accepted: Connections so far.
    """

    def __init__(self, target: int, port: int | None = None) -> None:
        self.port = port or free_port()
        self.accepted = 0
        self._target = target
        self._pace = AT_ONCE
        self._refusing = False
        self._pairs: set[_Pair] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._ask(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._ask(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Every connection is closed in order, on both sides."""
        self._ask(self._each(_Pair.close))

    def reset(self) -> None:
        """Every connection is reset, on both sides."""
        self._ask(self._each(_Pair.reset))

    def freeze(self) -> None:
        """Nothing more goes through the connections there are, and nobody is told."""
        self._ask(self._each(lambda pair: pair.flowing.clear()))

    def pace(self, pace: Pace) -> None:
        """From now on everything is forwarded like that."""
        self._pace = pace

    def refuse(self, *, refusing: bool) -> None:
        """From now on new connections are reset at once, or let through again."""
        self._refusing = refusing

    def judge(self, first: bytes) -> bytes:  # noqa: ARG002  # for whoever is stricter
        """What to answer instead of forwarding a connection that begins like that; here nothing."""
        return b""

    def _ask(self, work: Coroutine[Any, Any, Any]) -> Any:  # what the coroutine returns
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _each(self, act: Any) -> None:  # a method of _Pair
        for pair in list(self._pairs):
            act(pair)

    async def _shut(self) -> None:
        self._server.close()
        await self._each(_Pair.reset)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if self._refusing:
            _Pair(writer).reset()
            return
        try:
            first = await reader.read(_CHUNK_BYTES)
            if answer := self.judge(first):
                writer.write(answer)
                _Pair(writer).close()
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _Pair(writer).reset()
            return
        pair = _Pair(writer, far_writer)
        self._pairs.add(pair)
        far_writer.write(first)
        ways = self._forward(pair, reader, far_writer), self._forward(pair, far_reader, writer)
        with suppress(asyncio.CancelledError):  # by `_shut`, of which asyncio 3.11 would complain
            await asyncio.gather(*ways)
        self._pairs.discard(pair)

    async def _forward(
        self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Forwards one direction until it ends; then the other ends as well."""
        with suppress(OSError):
            while read := await reader.read(_CHUNK_BYTES):
                await pair.flowing.wait()
                await self._write(writer, read)
        await pair.flowing.wait()
        pair.close()

    async def _write(self, writer: asyncio.StreamWriter, content: bytes) -> None:
        while content:
            pace = self._pace
            if pace.delay_s:
                await asyncio.sleep(pace.delay_s)
            writer.write(content[: pace.piece_bytes])
            await writer.drain()
            content = content[pace.piece_bytes :]

"""`python -m tests.benchmarks.publisher COUNT READINGS SHAPE`: publishes as fast as it is read.

All packets are made before it says `ready`; a line on its input makes it begin. It ends when the
broker has acknowledged everything, and says `began` and when.
"""

import socket
import sys
import threading
import time

import orjson

from collector.endpoint import LOOPBACK
from telemetry.login import load_login
from telemetry.settings import Settings, load_settings
from tests.torture.packets import Publish, connect

CLIENT = "bench"
NUMBER = "n"
"""The metric that counts the messages."""
LOGIN = "bench.json"
"""Where its login is, among the secrets."""

_PACKET_IDS = 65_535
_PUBACK_BYTES = 4
_PIECE = 1000
_WAKE_BYTES = 4000
_STEP_US = 10
_START_US = time.time_ns() // 1000


def message(number: int, readings: int, shape: str = "object") -> bytes:
    """The packet of that number, one of whose readings is the number.

    Its payload is JSON: an `object` of so many metrics, or `rows` of so many times and a value.
    """
    payload = _rows(number, readings) if shape == "rows" else _object(number, readings)
    return Publish(f"clients/{CLIENT}", payload, number % _PACKET_IDS + 1).encoded()


def _object(number: int, metrics: int) -> bytes:
    others = {f"metric-{n}": 20 + number * (n + 1) % 97 / 10 for n in range(metrics - 1)}
    return orjson.dumps({NUMBER: number, **others})


def _rows(number: int, count: int) -> bytes:
    """Each row ten microseconds after the one before, in this message and the next."""
    first_us = _START_US + number * count * _STEP_US
    return orjson.dumps([{"ts": first_us + n * _STEP_US, NUMBER: number} for n in range(count)])


def log_in(settings: Settings) -> socket.socket:
    """A connection on which the broker let the publisher in."""
    login = load_login(settings.secrets_dir / LOGIN)
    connection = socket.create_connection((LOOPBACK, settings.mqtt_port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(connect(login.client_id, login.username, login.password))
    answer = connection.recv(1000)
    assert (answer[0], answer[3]) == (0x20, 0), answer
    return connection


def _wait_for_answers(connection: socket.socket, count: int) -> None:
    """Wakes seldom: whoever is measured shares the processor with this."""
    left = count * _PUBACK_BYTES
    while left > 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, min(left, _WAKE_BYTES))
        left -= len(connection.recv(1_000_000))


def main(count: int, readings: int, shape: str) -> None:
    """Publishes so many messages of so many readings."""
    pieces = [
        b"".join(message(n, readings, shape) for n in range(start, min(start + _PIECE, count)))
        for start in range(0, count, _PIECE)
    ]
    with log_in(load_settings()) as connection:
        answers = threading.Thread(target=_wait_for_answers, args=(connection, count))
        answers.start()
        print("ready", flush=True)  # noqa: T201  # who started it waits for that
        sys.stdin.readline()
        began_s = time.time()
        for piece in pieces:
            connection.sendall(piece)
        answers.join()
    print("began", began_s, flush=True)  # noqa: T201  # who started it measures from there


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

"""`python -m tests.benchmarks.publisher COUNT METRICS`: publishes as fast as the broker reads.

All packets are made before it says `ready`; a line on its input makes it begin. It ends when the
broker has acknowledged everything, and says `began` and when.
"""

import socket
import sys
import threading
import time

import orjson

from collector.daemon import LOOPBACK
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


def message(number: int, metrics: int) -> bytes:
    """The packet of that number: a JSON object of so many metrics, of which one is the number."""
    others = {f"metric-{n}": 20 + number * (n + 1) % 97 / 10 for n in range(metrics - 1)}
    payload = orjson.dumps({NUMBER: number, **others})
    return Publish(f"clients/{CLIENT}", payload, number % _PACKET_IDS + 1).encoded()


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
    left = count * _PUBACK_BYTES
    while left > 0:
        left -= len(connection.recv(1_000_000))


def main(count: int, metrics: int) -> None:
    """Publishes so many messages of so many metrics."""
    pieces = [
        b"".join(message(n, metrics) for n in range(start, min(start + _PIECE, count)))
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
    main(int(sys.argv[1]), int(sys.argv[2]))

"""A Mosquitto that is not Culex's: its own configuration, users, certificates and manners."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from mosquitto.certificates import Pair, Server, ensure_authority, ensure_server
from mosquitto.configuration import find_mosquitto
from telemetry.clock import now_us
from tests.support import accepts, free_port, wait_until
from tests.toxic import Proxy

PASSWORDS = {"culex": "p@ss wörd", "tank": "tank"}
READS_CLIENTS = "user culex\ntopic read clients/#\nuser tank\ntopic write clients/tank/#\n"
"""Access rules that let Culex read its clients' topics and nothing else."""

_RULES = f"{READS_CLIENTS}user culex\ntopic readwrite culex/ping/#\ntopic read $SYS/#\n"
_REFUSED = b"\x20\x02\x00\x01"  # CONNACK: unacceptable protocol version (MQTT 3.1.1, 3.2.2.3)
_V5 = 5


class ForeignBroker:
    """A broker on free ports, with and without TLS; use it in a `with` block.

    Args:
        folder: Where its files are.
        rules: Who may do what.
        options: Further lines of its configuration.
        name: For which host its certificate is.

    Attributes:
        port: Where it listens without TLS.
        tls_port: Where it listens with TLS.
        ca_file: Who signed its certificate.
    """

    def __init__(
        self,
        folder: Path,
        rules: str = _RULES,
        options: str = "",
        name: str = "localhost",
    ) -> None:
        self.port, self.tls_port = free_port(), free_port()
        self.ca_file = folder / "ca.crt"
        self._folder, self._rules, self._options, self._name = folder, rules, options, name
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        pair = Pair(self._folder / "server.key", self._folder / "server.crt")
        authority = ensure_authority(Pair(self._folder / "ca.key", self.ca_file), now_us=now_us())
        ensure_server(
            pair,
            authority,
            Server("Foreign broker", frozenset({self._name, "127.0.0.1"})),
            now_us(),
        )
        self.set_passwords(PASSWORDS)
        (self._folder / "rules").write_text(self._rules)
        (self._folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\nlistener {self.tls_port} 127.0.0.1\n"
            f"certfile {pair.certificate}\nkeyfile {pair.key}\n"
            f"password_file {self._folder / 'passwords'}\nacl_file {self._folder / 'rules'}\n"
            f"{'user root' if os.geteuid() == 0 else ''}\nmax_queued_messages 0\n"
            f"sys_interval 1\n{self._options}\n"
        )
        command = [find_mosquitto(), "-c", self._folder / "mosquitto.conf"]
        with (self._folder / "mosquitto.out").open("ab") as output:
            self._child = subprocess.Popen(command, stdout=output, stderr=output)
        wait_until(lambda: accepts(self.port) and accepts(self.tls_port))
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._child is not None:
            self._child.terminate()
            self._child.wait(10)

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Exactly these users are known to a broker that starts."""
        path = self._folder / "passwords"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        for user, password in passwords.items():
            subprocess.run(["mosquitto_passwd", "-b", path, user, password], check=True)


class OldDoor(Proxy):
    """A way to a broker that takes nobody who speaks MQTT 5, as brokers of 3.1.1 alone do.

    Attributes:
        refused: Whom it has not let through.
    """

    refused = 0

    def judge(self, first: bytes) -> bytes:
        """A refusal for MQTT 5."""
        place = first.find(b"MQTT") + 4
        if first[place : place + 1] == bytes([_V5]):
            self.refused += 1
            return _REFUSED
        return b""

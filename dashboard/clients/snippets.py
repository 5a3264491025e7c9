"""Programs and settings that work as they are, for a client that was just added. Pure."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from telemetry.existing import place_of

_quoted = partial(json.dumps, ensure_ascii=False)
"""A text in double quotes, as Python, JavaScript, C and YAML read it alike."""


@dataclass(frozen=True, slots=True)
class Login:
    """What a client has to know.

    Attributes:
        name: Its name, user name and, unless it may choose, client identifier.
        password: Its password.
        host: Where it reaches the broker.
        port: The broker's port for TLS.
        authority: The certificate that it has to trust, as PEM.
        shows: Whether it has to show a certificate of its own.
    """

    name: str
    password: str
    host: str
    port: int
    authority: str
    shows: bool = False

    @property
    def topic(self) -> str:
        """A topic of its own, for a first message."""
        return f"clients/{self.name}/temperature"

    @property
    def files(self) -> str:
        """The files that it needs."""
        own = f", {self.name}.crt and {self.name}.key" if self.shows else ""
        return f"ca.crt{own}"

    @property
    def address(self) -> str:
        """All of it in one text, for a QR code."""
        login = f"{self.name}:{quote(self.password, safe='')}"
        return f"mqtts://{login}@{place_of(self.host, self.port)}?clientId={self.name}"

    @property
    def server(self) -> str:
        """Where the broker is, as an address."""
        return f"mqtts://{place_of(self.host, self.port)}"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A text to paste.

    Attributes:
        key: A short word for it.
        title: What it is for.
        before: What to do first, a sentence.
        text: The text.
    """

    key: str
    title: str
    before: str
    text: str


def snippets(login: Login) -> Sequence[Snippet]:
    """All of them, the simplest first."""
    return [make(login) for make in (_shell, _python, _node, _esp32, _tasmota, _zigbee2mqtt)]


def _shell(login: Login) -> Snippet:
    command = [
        *("mosquitto_pub", "-h", login.host, "-p", str(login.port), "--cafile", "ca.crt"),
        *("-i", login.name, "-u", login.name, "-P", login.password),
        *("-q", "1", "-t", login.topic, "-m", "21.5"),
    ]
    if login.shows:
        command[7:7] = ["--cert", f"{login.name}.crt", "--key", f"{login.name}.key"]
    before = f"Put {login.files} into the folder you are in, and install mosquitto-clients."
    return Snippet("shell", "mosquitto_pub", before, shlex.join(command) + "\n")


def _python(login: Login) -> Snippet:
    own = f', "{login.name}.crt", "{login.name}.key"' if login.shows else ""
    text = f'''import random
import time

import paho.mqtt.client as mqtt

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id={_quoted(login.name)})
client.username_pw_set({_quoted(login.name)}, {_quoted(login.password)})
client.tls_set("ca.crt"{own})
client.on_connect = lambda _client, _data, _flags, reason, _properties: print(reason)
client.connect({_quoted(login.host)}, {login.port})
client.loop_start()
while True:
    client.publish("{login.topic}", round(random.uniform(20, 24), 1), qos=1)
    time.sleep(10)
'''
    before = f"Put {login.files} beside it, and run: pip install paho-mqtt"
    return Snippet("python", "Python", before, text)


def _node(login: Login) -> Snippet:
    own = "".join(
        f'\n  {key}: fs.readFileSync("{login.name}.{end}"),'
        for key, end in (("cert", "crt"), ("key", "key"))
        if login.shows
    )
    text = f"""const fs = require("fs");
const mqtt = require("mqtt");

const client = mqtt.connect({_quoted(login.server)}, {{
  clientId: {_quoted(login.name)},
  username: {_quoted(login.name)},
  password: {_quoted(login.password)},
  ca: fs.readFileSync("ca.crt"),{own}
}});
const measure = () =>
  client.publish("{login.topic}", (20 + 4 * Math.random()).toFixed(1), {{ qos: 1 }});
client.once("connect", () => {{
  measure();
  setInterval(measure, 10000);
}});
client.on("error", (error) => console.error(error.message));
"""
    return Snippet(
        "node", "Node.js", f"Put {login.files} beside it, and run: npm install mqtt", text
    )


def _esp32(login: Login) -> Snippet:
    known = ", ".join(map(_quoted, (login.name, login.name, login.password)))
    text = f"""#include <WiFi.h>
#include <WiFiClientSecure.h>
#include <PubSubClient.h>

const char *CA = R"PEM({login.authority.strip()}
)PEM";

WiFiClientSecure network;
PubSubClient client(network);

void setup() {{
  WiFi.begin("your-wifi", "your-wifi-password");
  while (WiFi.status() != WL_CONNECTED) delay(200);
  network.setCACert(CA);
  client.setServer({_quoted(login.host)}, {login.port});
}}

void loop() {{
  if (!client.connected() && !client.connect({known})) {{
    delay(5000);
    return;
  }}
  client.loop();
  client.publish("{login.topic}", String(20 + random(40) / 10.0).c_str());
  delay(10000);
}}
"""
    before = "Install PubSubClient with the library manager, and write your Wi-Fi into it."
    return Snippet("esp32", "Arduino, ESP32", before, text)


def _tasmota(login: Login) -> Snippet:
    text = (
        f"Backlog MqttHost {login.host}; MqttPort {login.port}; MqttUser {login.name}; "
        f"MqttPassword {login.password}; MqttClient {login.name}; Topic {login.name}; "
        "FullTopic %prefix%/%topic%/; SetOption103 1; SetOption132 1\n"
    )
    before = (
        "Paste it into the console of a Tasmota with TLS (tasmota32), and write "
        'families = ["tasmota"] into culex.toml.'
    )
    return Snippet("tasmota", "Tasmota", before, text)


def _zigbee2mqtt(login: Login) -> Snippet:
    text = f"""mqtt:
  base_topic: zigbee2mqtt
  server: {_quoted(login.server)}
  ca: /app/data/ca.crt
  user: {_quoted(login.name)}
  password: {_quoted(login.password)}
  client_id: {_quoted(login.name)}
"""
    before = (
        "Put ca.crt into its data folder, this into its configuration.yaml, and "
        'families = ["zigbee2mqtt"] into culex.toml.'
    )
    if login.name != "zigbee2mqtt":
        before = (
            f"{login.name} may not speak for the devices behind it: add a client with the name "
            "zigbee2mqtt, and paste what is shown for that."
        )
    return Snippet("zigbee2mqtt", "Zigbee2MQTT", before, text)

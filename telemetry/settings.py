"""Settings from culex.toml, each overridden by its `CULEX_*` variable."""

import os
import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as NoJsonError

from telemetry.broker_settings import BrokerSettings, Port
from telemetry.existing import without_login
from telemetry.families import TEMPLATES, Family
from telemetry.fault import Fault
from telemetry.interval_settings import IntervalSettings
from telemetry.login_settings import LoginSettings
from telemetry.metric_settings import MetricSettings
from telemetry.retention_settings import RetentionSettings
from telemetry.tls_settings import TlsSettings
from telemetry.topic_settings import Topic, zone_name
from telemetry.window import TimeError, parse_duration

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder."""

DEMO_CLIENTS = (
    "demo-solar",
    "demo-greenhouse",
    "demo-boiler",
    "demo-battery",
    "demo-weather",
    "demo-flaky",
)
"""The simulated fleet: `mosquitto/` gives it logins, `collector/demo.py` plays it."""

_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]*[A-Za-z0-9_~-])+", re.ASCII)


class SettingsError(Fault):
    """A setting that cannot be used; the message names its place and what to write."""


class Demo(StrEnum):
    """When the simulated fleet runs."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class LogFormat(StrEnum):
    """How log lines are written."""

    CONSOLE = "console"
    JSON = "json"


def _duration(text: str) -> str:
    try:
        parse_duration(text)
    except TimeError as error:
        raise ValueError(str(error)) from None
    return text


def _prefix(path: str) -> str:
    if path and not _PREFIX.fullmatch(path):
        raise ValueError(f"{path!r} is no path; write for example /iot, or nothing")
    return path


Duration = Annotated[str, AfterValidator(_duration)]


class Settings(
    BaseSettings,
    BrokerSettings,
    RetentionSettings,
    IntervalSettings,
    MetricSettings,
    LoginSettings,
    TlsSettings,
):
    """Everything that can be set; culex.toml describes each key beside its default."""

    model_config = SettingsConfigDict(env_prefix="CULEX_", extra="forbid", frozen=True)
    toml_file: ClassVar[Path] = ROOT / "culex.toml"

    data_dir: Path = Path("data")
    http_host: str = "127.0.0.1"
    http_port: Port = 8050
    http_prefix: Annotated[str, AfterValidator(_prefix)] = ""
    admin_password: SecretStr | None = None
    demo: Demo = Demo.AUTO
    log_format: LogFormat = LogFormat.CONSOLE
    log_keep_mb: Annotated[int, Field(ge=1, le=10_000)] = 50

    topics: tuple[Topic, ...] = (
        Topic(template="clients/{client}"),
        Topic(template="clients/{client}/telemetry"),
        Topic(template="clients/{client}/{metric}"),
    )
    families: tuple[Family, ...] = ()
    zone: Annotated[str, AfterValidator(zone_name)] = "UTC"
    batch_readings: Annotated[int, Field(ge=1, le=100_000)] = 5000
    batch_age_ms: Annotated[int, Field(ge=1, le=100)] = 50
    intake_messages: Annotated[int, Field(ge=100, le=40_000)] = 20_000
    intake_mb: Annotated[int, Field(ge=1, le=4096)] = 64
    client_messages_per_s: Annotated[int, Field(ge=0, le=1_000_000)] = 5000
    client_burst: Annotated[int, Field(ge=1, le=1_000_000_000)] = 1_000_000
    client_series: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    series: Annotated[int, Field(ge=1, le=10_000_000)] = 200_000
    reserve_mb: Annotated[int, Field(ge=0, le=100_000)] = 64
    seal_after: Duration = "3h"
    future_tolerance: Duration = "5m"
    late_after: Duration = "1m"

    spans: Annotated[tuple[Duration, ...], Field(min_length=1, max_length=6)] = ("1m", "5m", "30m")
    coverage_minimum: Annotated[float, Field(ge=0, le=1)] = 0.6
    refresh_ms: Annotated[int, Field(ge=250, le=60_000)] = 1000

    @field_validator("demo")
    @classmethod
    def _demo(cls, chosen: Demo, info: ValidationInfo) -> Demo:
        if chosen is Demo.ON and info.data.get("broker_url"):
            raise ValueError(
                "the simulated fleet plays at Culex's own broker alone; "
                'write "auto" or "off", or leave broker_url empty'
            )
        return chosen

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # not a source of ours
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # not a source of ours
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, and the environment over culex.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, cls.toml_file)

    @property
    def all_topics(self) -> tuple[Topic, ...]:
        """The topic templates in force: those of `topics`, then those of the families.

        Each has its zone.
        """
        known = (entry for family in self.families for entry in TEMPLATES[family])
        added = (Topic(template=template, format=format_) for template, format_ in known)
        topics = (*self.topics, *added)
        return tuple(one.model_copy(update={"zone": one.zone or self.zone}) for one in topics)

    @property
    def templates(self) -> tuple[str, ...]:
        """The texts of the topic templates in force."""
        return tuple(topic.template for topic in self.all_topics)

    @property
    def store_path(self) -> Path:
        """The SQLite file that holds the head and the catalog."""
        return self.data_dir / "culex.db"

    @property
    def access_path(self) -> Path:
        """The SQLite file that says who may speak and look."""
        return self.data_dir / "access.db"

    @property
    def logs_dir(self) -> Path:
        """Rotated log files."""
        return self.data_dir / "logs"

    @property
    def run_dir(self) -> Path:
        """PID files and locks."""
        return self.data_dir / "run"

    @property
    def jobs_dir(self) -> Path:
        """What commands ask the running collector to do."""
        return self.data_dir / "jobs"

    @property
    def denials_dir(self) -> Path:
        """Where the broker's supervisor leaves what it read of refused publishes."""
        return self.run_dir / "denied"

    @property
    def secrets_dir(self) -> Path:
        """Keys and passwords, readable by their owner alone."""
        return self.data_dir / "secrets"

    @property
    def broker_dir(self) -> Path:
        """What Mosquitto itself reads and writes."""
        return self.data_dir / "broker"

    @property
    def http_key(self) -> Path:
        """The dashboard's key, if it speaks TLS."""
        return self.secrets_dir / "http.key"

    @property
    def http_certificate(self) -> Path:
        """The dashboard's certificate, if it speaks TLS."""
        return self.secrets_dir / "http.crt"

    @property
    def ca_file(self) -> Path:
        """The public certificate of our certificate authority, for clients to trust."""
        return (self.data_dir / "ca.crt").absolute()


def load_settings() -> Settings:
    """The settings in force.

    Raises:
        SettingsError: If culex.toml or a variable cannot be used.
    """
    try:
        return Settings()
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            f"{Settings.toml_file.name} is not TOML: {error}; fix that line"
        ) from None
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(dict(part)) for part in error.errors())) from None
    except UnicodeDecodeError:
        raise SettingsError(f"{Settings.toml_file.name} is not UTF-8; save it as that") from None
    except NoJsonError as error:
        raise SettingsError(_no_json(str(error))) from None
    except OSError as error:
        raise SettingsError(f"cannot read {Settings.toml_file}: {error.strerror}") from None


def _sentence(error: dict[str, object]) -> str:
    """One validation error, with the line of culex.toml or the variable it stands in."""
    location = error["loc"]
    key, *inside = location if isinstance(location, tuple) and location else ("",)
    table = inside[0] if inside and isinstance(inside[0], int) else 0
    reason = (
        "there is no such setting"
        if error["type"] == "extra_forbidden"
        else str(error["msg"]).removeprefix("Value error, ")
    )
    variable = f"CULEX_{key.upper()}"
    if variable in os.environ:
        value = os.environ[variable]
        shown = without_login(value) if key == "broker_url" else value
        return f"{variable}={shown!r}: {reason}"
    return f"{Settings.toml_file.name}, line {_line_of(key, table)}, {key}: {reason}"


def _no_json(said: str) -> str:
    """A variable that must be JSON and is not; pydantic-settings names its field alone."""
    _, field, *_ = said.split('"')
    variable = f"CULEX_{field.upper()}"
    return f'{variable}={os.environ.get(variable)!r}: write JSON, a list such as ["1m", "5m"]'


def _line_of(key: str, table: int) -> str:
    """Where the key stands; of a key with several tables, such as [[topics]], the one meant."""
    pattern = re.compile(rf"\s*(\[\[?)?\s*{re.escape(key)}\b")
    lines = Settings.toml_file.read_text(encoding="utf-8").splitlines()
    found = [number for number, line in enumerate(lines, 1) if pattern.match(line)]
    return str(found[min(table, len(found) - 1)]) if found else "?"

"""Which settings are in force, and where each of them comes from."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import orjson
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from telemetry.settings import Settings


class Origin(StrEnum):
    """Where a setting comes from."""

    DEFAULT = "default"
    FILE = "culex.toml"
    ENVIRONMENT = "environment"
    PROGRAM = "program"
    SECRET = "secret file"  # noqa: S105  # where one is, not what it is


class Effective(NamedTuple):
    """A setting in force.

    Attributes:
        name: As in culex.toml; of a secret its file below the data folder.
        value: As text, of tables and lists their JSON; a secret is masked.
        origin: Where it comes from.
    """

    name: str
    value: str
    origin: Origin


def effective(settings: Settings) -> Sequence[Effective]:
    """Every setting with its origin, by name, then the secrets that are kept in files.

    culex.toml and the environment are read again: ask when the process starts.
    """
    masked = settings.model_dump(mode="json")
    origin = _origins(settings)
    found = [Effective(name, _text(masked[name]), origin[name]) for name in sorted(masked)]
    return [*found, *_secret_files(settings)]


def _origins(settings: Settings) -> Mapping[str, Origin]:
    """By setting: the environment wins over culex.toml."""
    said = (
        (Origin.PROGRAM, settings.model_fields_set),
        (Origin.FILE, TomlConfigSettingsSource(Settings, Settings.toml_file)()),
        (Origin.ENVIRONMENT, EnvSettingsSource(Settings)()),
    )
    found = dict.fromkeys(type(settings).model_fields, Origin.DEFAULT)
    for origin, names in said:
        found |= dict.fromkeys(names, origin)
    return found


def _text(value: Any) -> str:  # Any: what JSON can say
    """A value as somebody would look for it.

    >>> _text("3h"), _text(["1m"]), _text(None), _text(0.6)
    ('3h', '["1m"]', '–', '0.6')
    """
    if value is None:
        return "–"
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _secret_files(settings: Settings) -> list[Effective]:
    """What is kept in files, by name alone."""
    try:
        files = sorted(one.name for one in settings.secrets_dir.iterdir() if one.is_file())
    except OSError:
        return []
    return [Effective(f"secrets/{name}", "**********", Origin.SECRET) for name in files]

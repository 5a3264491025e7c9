"""Where settings come from, and that secrets are masked."""

from pathlib import Path

import pytest

from telemetry.origins import Effective, Origin, effective
from telemetry.settings import Settings, load_settings

PLANTED = "hunter2-hunter2"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Effective]:
    """Some settings by culex.toml, some by the environment, one by both; a secret file."""
    file = tmp_path / "culex.toml"
    file.write_text('seal_after = "2h"\nhttp_port = 8051\nspans = ["2m"]\n', encoding="utf-8")
    monkeypatch.setattr(Settings, "toml_file", file)
    for name in [*Settings.model_fields]:
        monkeypatch.delenv(f"CULEX_{name.upper()}", raising=False)
    monkeypatch.setenv("CULEX_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CULEX_HTTP_PORT", "8052")
    monkeypatch.setenv("CULEX_ADMIN_PASSWORD", PLANTED)
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "session.key").write_text(PLANTED, encoding="utf-8")
    return {one.name: one for one in effective(load_settings())}


@pytest.mark.parametrize(
    ("name", "value", "origin"),
    [
        ("seal_after", "2h", Origin.FILE),
        ("spans", '["2m"]', Origin.FILE),
        ("http_port", "8052", Origin.ENVIRONMENT),
        ("late_after", "1m", Origin.DEFAULT),
        ("coverage_minimum", "0.6", Origin.DEFAULT),
        ("admin_password", "**********", Origin.ENVIRONMENT),
        ("secrets/session.key", "**********", Origin.SECRET),
    ],
)
def test_setting_is_told_with_its_value_and_its_origin(
    told: dict[str, Effective], name: str, value: str, origin: Origin
) -> None:
    """The environment wins over culex.toml, and that over the default; secrets are masked."""
    assert told[name] == Effective(name, value, origin)


def test_every_setting_is_told_and_no_secret(told: dict[str, Effective]) -> None:
    """None is left out, and nothing of what was planted is in a text."""
    assert set(Settings.model_fields) <= set(told)
    assert PLANTED not in "".join(one.value for one in told.values())


def test_setting_given_by_a_program_is_told_as_its(tmp_path: Path) -> None:
    """An argument that neither the environment nor culex.toml has is the program's own."""
    found = {one.name: one for one in effective(Settings(data_dir=tmp_path, refresh_ms=300))}
    assert found["refresh_ms"] == Effective("refresh_ms", "300", Origin.PROGRAM)
    assert found["spans"].origin is Origin.DEFAULT

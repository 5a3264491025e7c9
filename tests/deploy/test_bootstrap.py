"""deploy/bootstrap.sh: what it installs when, on a machine of stand-ins for the real programs."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Each stand-in notes its call in `calls`. The Python makes a .venv whose Python is itself.
PYTHON = """#!/bin/sh
echo "python $*" >>"$CALLS"
case "$*" in
    *ensurepip*) [ ! -e "$CALLS.no-ensurepip" ] ;;
    "-m venv --clear .venv") rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
    *pip*) [ ! -e "$CALLS.no-network" ] || { echo "no network" >&2; exit 1; } ;;
esac
"""
APT = """#!/bin/sh
echo "apt-get $*" >>"$CALLS"
"""
MOSQUITTO = "#!/bin/sh\n"
ABSENT = ""
SUDO = '#!/bin/sh\nexec "$@"\n'
STAND_INS = {"python3": PYTHON, "mosquitto": MOSQUITTO, "sudo": SUDO}

NOTHING: Mapping[str, str] = MappingProxyType({})
Machine = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what bootstrap.sh reads, in a folder whose name has a space."""
    folder = tmp_path / "my project"
    (folder / "deploy").mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "bootstrap.sh", folder / "deploy")
    for name in ("requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text("honcho==2.0.0\n")
    return folder


@pytest.fixture
def bootstrap(project: Path, tmp_path: Path) -> Machine:
    """Runs bootstrap.sh with stand-ins; returns its result, with the calls made as `args`."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in ("sh", "cat", "cksum", "rm", "mkdir", "mktemp", "id", "cp", "dirname", "env"):
        (programs / tool).symlink_to(str(shutil.which(tool)))
    calls = tmp_path / "calls"

    def run(
        purpose: str = "run", variables: Mapping[str, str] = NOTHING, **stand_ins: str
    ) -> subprocess.CompletedProcess[str]:
        chosen = STAND_INS | stand_ins
        for name, text in ((name, text) for name, text in chosen.items() if text != ABSENT):
            (programs / name.replace("_", "-")).write_text(text)
            (programs / name.replace("_", "-")).chmod(0o755)
        script = (project / "deploy" / "bootstrap.sh").read_text()
        # The usual places hold this machine's own programs.
        (project / "deploy" / "bootstrap.sh").write_text(script.replace("PATH=$PATH:", "unused="))
        calls.write_text("")
        done = subprocess.run(
            [programs / "sh", "deploy/bootstrap.sh", purpose],
            cwd=project,
            env={
                "PATH": str(programs),
                "CALLS": str(calls),
                "TMPDIR": str(tmp_path),
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        done.args = calls.read_text()
        return done

    return run


def test_bootstrap_second_time_calls_no_installer(bootstrap: Machine) -> None:
    """Once set up, the next start installs nothing and says nothing."""
    assert bootstrap().returncode == 0
    again = bootstrap()
    assert (again.returncode, again.stderr) == (0, "")
    assert "pip install" not in again.args


def test_bootstrap_requirements_changed_installs_them(bootstrap: Machine, project: Path) -> None:
    """New requirements are installed into the .venv that is there."""
    bootstrap()
    (project / "requirements.txt").write_text("honcho==2.0.1\n")
    again = bootstrap()
    assert "pip install" in again.args
    assert "-m venv" not in again.args


def test_bootstrap_installs_what_has_the_hash_alone(bootstrap: Machine) -> None:
    """A file whose hash is not in the requirements is refused."""
    assert "--require-hashes -r requirements.txt" in bootstrap().args


def test_bootstrap_cut_short_starts_over(bootstrap: Machine, tmp_path: Path) -> None:
    """A failed installation says so in one sentence, and the next run makes .venv anew."""
    (tmp_path / "calls.no-network").touch()
    failed = bootstrap()
    assert failed.returncode == 1
    assert failed.stderr.endswith("(is the network up?), then run make again\n")
    (tmp_path / "calls.no-network").unlink()
    repaired = bootstrap()
    assert repaired.returncode == 0
    assert "-m venv --clear .venv" in repaired.args


def test_bootstrap_python_gone_starts_over(bootstrap: Machine, project: Path) -> None:
    """A .venv whose Python no longer runs is made anew."""
    bootstrap()
    (project / ".venv/bin/python").unlink()
    assert "-m venv --clear .venv" in bootstrap().args


def test_bootstrap_without_ensurepip_installs_debians_package(
    bootstrap: Machine, tmp_path: Path
) -> None:
    """Minimal Debian's Python gets python3-venv before the .venv is made."""
    (tmp_path / "calls.no-ensurepip").touch()
    done = bootstrap(apt_get=APT)
    assert "install -y --no-install-recommends python3-venv\n" in done.args


def test_bootstrap_missing_package_without_installer_says_which(
    bootstrap: Machine, tmp_path: Path
) -> None:
    """A system without apt or brew is told what to install."""
    (tmp_path / "calls.no-ensurepip").touch()
    done = bootstrap()
    assert done.returncode == 1
    assert done.stderr == (
        "culex: missing: python3-venv; install it with your system's package manager, "
        "then run make again\n"
    )


@pytest.mark.parametrize(
    ("toml", "variables", "installs"),
    [
        ('# broker_url = "mqtts://a"', {}, True),
        ('broker_url = ""', {}, True),
        ('http_port = 1\nbroker_url = "mqtts://a"', {}, False),
        ("", {"CULEX_BROKER_URL": "mqtts://a"}, False),
        ('broker_url = "mqtts://a"', {"CULEX_BROKER_URL": ""}, True),
    ],
)
def test_bootstrap_with_an_existing_broker_installs_none(
    bootstrap: Machine, project: Path, toml: str, variables: dict[str, str], installs: bool
) -> None:
    """Mosquitto is for Culex's own broker; the variable wins over culex.toml, as everywhere."""
    (project / "culex.toml").write_text(f"{toml}\n")
    done = bootstrap(variables=variables, apt_get=APT, mosquitto=ABSENT)
    assert ("mosquitto\n" in done.args) is installs, done.stderr


def test_bootstrap_for_tests_installs_their_programs(bootstrap: Machine) -> None:
    """The suite's broker tools, browser, tracer and false clock come with `make test`."""
    done = bootstrap("test", apt_get=APT)
    wanted = "mosquitto-clients chromium strace faketime"
    assert f"install -y --no-install-recommends {wanted}\n" in done.args


def test_bootstrap_unknown_purpose_is_refused(bootstrap: Machine) -> None:
    """A word that means nothing ends with 2 and what to write."""
    done = bootstrap("everything")
    assert done.returncode == 2
    assert done.stderr == "culex: write: deploy/bootstrap.sh run | check | test\n"

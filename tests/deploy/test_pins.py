"""The requirements files: every pin hashed, nothing that a pin needs left out; the SBOM of them."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.pins import RUNTIME, TOOLS, hashed, pins
from deploy.sbom import ASSETS, assets, bill

FILES = pytest.mark.parametrize("path", [RUNTIME, TOOLS], ids=lambda path: path.name)
SYSTEMS = [
    {"sys_platform": system, "python_version": version, "python_full_version": f"{version}.0"}
    for system in ("linux", "darwin")
    for version in ("3.11", "3.12", "3.13", "3.14")
]


def pinned(path: Path) -> dict[str, str]:
    """All that the file leads to an installation of."""
    text = path.read_text("utf-8")
    return pins(RUNTIME.read_text("utf-8")) | pins(text)


@FILES
def test_every_line_is_a_comment_or_a_hashed_pin(path: Path) -> None:
    """No package without a hash, no address of a file or an index, no option but the hashes."""
    text = path.read_text("utf-8").replace("-r requirements.txt\n", "", 1)
    hashes = r"( \\\n    --hash=sha256:[0-9a-f]{64})+"
    assert re.sub(rf"^([\w.-]+==[\w.]+{hashes}|#.*|)\n", "", text, flags=re.MULTILINE) == ""
    assert "://" not in text


@FILES
def test_all_that_a_pin_needs_is_pinned(path: Path) -> None:
    """On every system and Python that Culex runs on; pip would refuse to install otherwise."""
    wanted = pinned(path)
    missing = {name: needed for name in wanted for needed in set(needs(name)) - set(wanted)}
    assert missing == {}


def needs(name: str) -> Iterator[str]:
    """What the installed package needs anywhere, without its extras."""
    for line in requires(name) or []:
        each = Requirement(line)
        marks = each.marker
        if marks is None or any(marks.evaluate({"extra": ""} | system) for system in SYSTEMS):
            yield canonicalize_name(each.name)


def test_hashes_are_written_below_their_pins() -> None:
    """New hashes take the place of the old; reasons, order and spelling stay."""
    before = "# Arrays\nNumPy==2.4.6 \\\n    --hash=sha256:00\n\n# More\nzipp==4.1.2\n"
    new = {"numpy": ["--hash=sha256:11", "--hash=sha256:22"], "zipp": ["--hash=sha256:33"]}
    assert hashed(before, new) == (
        "# Arrays\nNumPy==2.4.6 \\\n    --hash=sha256:11 \\\n    --hash=sha256:22\n\n"
        "# More\nzipp==4.1.2 \\\n    --hash=sha256:33\n"
    )


def test_bill_of_materials_names_every_pin_and_asset() -> None:
    """Each pin with its version, each vendored asset, and none of the tools."""
    found = json.loads(json.dumps(bill()))
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    packages = {
        canonicalize_name(one["name"]): f"{one['name']}=={one['version']}".lower()
        for one in found["components"]
        if not one["bom-ref"].startswith("pkg:npm/")
    }
    wanted = pins(RUNTIME.read_text("utf-8"))
    assert set(packages) == set(wanted)
    assert all(packages[name].endswith(pin.partition("==")[2]) for name, pin in wanted.items())
    names = [one["name"] for one in found["components"]]
    assert {"bootstrap", "bootstrap-icons", "plotly.js"} < set(names)
    assert len(names) == len(wanted) + len(assets())


def test_bill_of_assets_is_valid_and_complete() -> None:
    """Each file that is not our own work is in it with its licence, valid by CycloneDX's schema."""
    told = assets()
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": told}
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    assert fault is None
    files = {part["name"] for one in told for part in one["components"]}
    foreign = [*ASSETS.glob("*.min.*"), *ASSETS.glob("fonts/*")]
    assert files == {f"assets/{path.relative_to(ASSETS).as_posix()}" for path in foreign}

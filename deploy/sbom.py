"""Writes what Culex consists of as a CycloneDX SBOM: `python deploy/sbom.py FILE`.

Its components are the packages of requirements.txt as they are installed, with their licences
and what needs what, and the vendored assets as assets/LICENSES.md lists them, with the hash of
each file.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deploy.pins import RUNTIME, pins  # noqa: E402  # the folder is known from here on
from telemetry.version import VERSION  # noqa: E402  # the same

ASSETS = ROOT / "assets"

_ROW = re.compile(r"^\| (`.+?) \| .+ npm `(.+?)` \| (.+?) \| (.+?) \| \[", re.MULTILINE)
_QUICKLY = ("--output-reproducible", "--no-validate")  # what comes of it is validated here, once
_SPDX = {"MIT": "MIT", "SIL OFL 1.1": "OFL-1.1"}

Json = dict[str, Any]  # Any: JSON


def assets() -> list[Json]:
    """The vendored assets, in the order of assets/LICENSES.md."""
    rows = _ROW.findall((ASSETS / "LICENSES.md").read_text("utf-8"))
    return [_asset(re.findall("`(.+?)`", files), *rest) for files, *rest in rows]


def _asset(files: list[str], name: str, version: str, licence: str) -> Json:
    purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "licenses": [{"license": {"id": _SPDX[licence]}}],
        "components": [
            {
                "type": "file",
                "name": f"assets/{file}",
                "hashes": [{"alg": "SHA-256", "content": _sha256(ASSETS / file)}],
            }
            for file in files
        ],
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def bill() -> Json:
    """The whole SBOM.

    Raises:
        SystemExit: If .venv lacks a pin, or holds another version.
    """
    found: Json = json.loads(
        subprocess.run(  # noqa: S603  # no shell, and nothing from outside
            [sys.executable, "-m", "cyclonedx_py", "environment", *_QUICKLY],
            capture_output=True,
            check=True,
        ).stdout
    )
    packages = _pinned(found["components"]) + assets()
    references = {one["bom-ref"] for one in packages}
    own = {"type": "application", "bom-ref": "culex", "name": "culex", "version": VERSION}
    needs = [one for one in found["dependencies"] if one["ref"] in references]
    return found | {
        "metadata": found["metadata"] | {"component": own},
        "components": packages,
        "dependencies": [*needs, {"ref": "culex", "dependsOn": sorted(references)}],
    }


def _pinned(components: list[Json]) -> list[Json]:
    packages = {canonicalize_name(one["name"]): one for one in components}
    wanted = pins(RUNTIME.read_text("utf-8"))
    stale = [
        pin
        for name, pin in wanted.items()
        if packages.get(name, {}).get("version") != pin.partition("==")[2]
    ]
    if stale:
        sys.exit(f"culex: .venv lacks {', '.join(stale)}; run: make check")
    return [packages[name] for name in wanted]


def write(path: Path) -> int:
    """The file holds the SBOM, valid by its schema; returns how many components that names."""
    found = bill()
    text = json.dumps(found, indent=2)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        sys.exit(f"culex: the SBOM is not valid: {fault}")
    path.write_text(text, "utf-8")
    return len(found["components"])


if __name__ == "__main__":
    target = Path(sys.argv[1])
    print(f"{target}: {write(target)} components")  # noqa: T201  # the command's answer

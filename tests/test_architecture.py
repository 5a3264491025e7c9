"""The house keeps its shape: arrows between rooms, one importer per library, small pieces."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("telemetry", "collector", "mosquitto", "dashboard")
MODULE_LINES = 300
FUNCTION_LINES = 40

MAY_IMPORT = {
    "telemetry": frozenset(),
    "collector": frozenset({"telemetry"}),
    "mosquitto": frozenset({"telemetry"}),
    "dashboard": frozenset({"telemetry", "mosquitto"}),
}
"""The arrows: which other rooms a room may import."""

COMMANDS = ("telemetry/commands/", "collector/__main__.py")
PARTS = ("mosquitto.access_change", "mosquitto.access_known")
"""Commands put the parts together; what they change stands in the audit log (ADR 21).

And whoever asks why there is no data of a client is told whether there is such a client.
"""

IMPORTERS = {
    "paho": (
        "collector/session.py",
        "collector/client.py",
        "collector/watch.py",
        "collector/demo.py",
        "mosquitto/control.py",
        "mosquitto/trial.py",
    ),
    "cbor2": ("collector/formats/binary.py",),
    "msgpack": ("collector/formats/binary.py",),
    "google": ("collector/formats/sparkplug_payload.py", "collector/formats/sparkplug_b_pb2.py"),
    "sqlite3": (
        "telemetry/store/head.py",
        "telemetry/sources/homeassistant.py",
        "mosquitto/access_file.py",
    ),
    "duckdb": ("telemetry/store/",),
    "pyarrow": ("telemetry/store/", "telemetry/sources/"),
    "plotly": ("dashboard/figures.py",),
    "dash": ("dashboard/",),
    "flask": ("dashboard/",),
}
"""Who may import an outside library: a module, or a folder ending in a slash."""

ENVIRONMENT = "telemetry/settings.py"
"""The one module that reads variables of the environment."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module of a room.

    Attributes:
        path: Its place under the project's folder, with slashes.
        text: Its source.
    """

    path: str
    text: str

    @property
    def room(self) -> str:
        """The room it belongs to."""
        return self.path.split("/", 1)[0]

    def nodes(self) -> Iterator[ast.AST]:
        """Everything in its syntax tree."""
        return ast.walk(ast.parse(self.text))


def imported(module: Module) -> Iterator[str]:
    """Every name the module imports, with dots; `from a import b` gives `a` and `a.b`."""
    for node in module.nodes():
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = _source(module, node)
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def _source(module: Module, node: ast.ImportFrom) -> str:
    """What `from … import` names, with leading dots resolved against the module's place."""
    if node.level == 0:
        return node.module or ""
    package = module.path.split("/")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def wrong_arrows(module: Module) -> Iterator[str]:
    """Imports of a room the module's room may not know."""
    allowed = MAY_IMPORT[module.room] | {module.room}
    for name in imported(module):
        part = any(f"{name}.".startswith(f"{one}.") for one in PARTS)
        together = part and _stands_in(module.path, COMMANDS)
        if name.split(".")[0] in set(ROOMS) - allowed and not together:
            yield f"{module.path} imports {name}"


def wrong_importers(module: Module) -> Iterator[str]:
    """Imports of an outside library that belongs to another module."""
    for name in imported(module):
        places = IMPORTERS.get(name.split(".")[0].split("_")[0])
        if places is not None and not _stands_in(module.path, places):
            yield f"{module.path} imports {name}"


def _stands_in(path: str, places: tuple[str, ...]) -> bool:
    return any(path.startswith(place) if place.endswith("/") else path == place for place in places)


def store_imports(module: Module) -> Iterator[str]:
    """Imports of telemetry.store by the nouns and the arithmetic beside it.

    The commands put the parts together, as those of every room do.
    """
    beside = not module.path.startswith(("telemetry/store/", "telemetry/commands/"))
    if module.room == "telemetry" and beside:
        for name in imported(module):
            if name.split(".")[:2] == ["telemetry", "store"]:
                yield f"{module.path} imports {name}"


def environment_readers(module: Module) -> Iterator[str]:
    """Uses of `os.environ` and `os.getenv` outside the settings."""
    if module.path != ENVIRONMENT:
        for node in module.nodes():
            name = node.attr if isinstance(node, ast.Attribute) else ""
            if name in {"environ", "environb", "getenv"}:
                yield f"{module.path}: os.{name}"
        for name in imported(module):
            if name in {"os.environ", "os.environb", "os.getenv"}:
                yield f"{module.path} imports {name}"


def oversized(module: Module) -> Iterator[str]:
    """The module if it is too long, and each function that is, without its docstring."""
    lines = len(module.text.splitlines())
    if lines > MODULE_LINES:
        yield f"{module.path} has {lines} lines"
    for node in module.nodes():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = _length(node) - (_length(node.body[0]) if ast.get_docstring(node) else 0)
            if lines > FUNCTION_LINES:
                yield f"{module.path}: {node.name} has {lines} lines"


def _length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def globals_and_leftovers(module: Module) -> Iterator[str]:
    """`global` statements, and modules named for nothing."""
    if Path(module.path).stem in {"utils", "util", "helpers", "misc", "common"}:
        yield f"{module.path} has a name that says nothing"
    for node in module.nodes():
        if isinstance(node, ast.Global):
            yield f"{module.path}, line {node.lineno}: global {', '.join(node.names)}"


Rule = Callable[[Module], Iterator[str]]

RULES: tuple[Rule, ...] = (
    wrong_arrows,
    wrong_importers,
    store_imports,
    environment_readers,
    oversized,
    globals_and_leftovers,
)


def modules() -> list[Module]:
    """Every module of every room."""
    files = (file for room in ROOMS for file in sorted((ROOT / room).rglob("*.py")))
    return [Module(file.relative_to(ROOT).as_posix(), file.read_text("utf-8")) for file in files]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_house_as_it_stands_breaks_no_rule(rule: Rule) -> None:
    """No module of any room breaks the rule."""
    assert [fault for module in modules() for fault in rule(module)] == []


def test_house_has_modules_in_every_room() -> None:
    """The rules look at something."""
    assert {module.room for module in modules()} == set(ROOMS)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (wrong_arrows, "telemetry/a.py", "import collector.session"),
        (wrong_arrows, "collector/a.py", "from dashboard import app"),
        (wrong_arrows, "collector/a.py", "def f():\n    from mosquitto.access import Access"),
        (wrong_arrows, "dashboard/a.py", "import collector"),
        (wrong_arrows, "telemetry/a.py", "from mosquitto.access_change import note_command"),
        (wrong_arrows, "telemetry/a.py", "from mosquitto.access_known import clients_here"),
        (wrong_arrows, "telemetry/commands/a.py", "from mosquitto.access import Access"),
        (wrong_arrows, "mosquitto/a.py", "import dashboard.app as app"),
        (wrong_importers, "collector/writer.py", "import paho.mqtt.client as mqtt"),
        (wrong_importers, "telemetry/store/snapshot.py", "from sqlite3 import Row"),
        (wrong_importers, "telemetry/rolling.py", "import pyarrow.parquet"),
        (wrong_importers, "dashboard/pages.py", "import plotly.graph_objects as go"),
        (wrong_importers, "mosquitto/a.py", "from flask_login import current_user"),
        (wrong_importers, "telemetry/a.py", "from dash import html"),
        (store_imports, "telemetry/a.py", "from telemetry.store import open_querier"),
        (store_imports, "telemetry/a.py", "from telemetry import store"),
        (store_imports, "telemetry/a.py", "from . import store"),
        (store_imports, "telemetry/a.py", "from .store.head import Head"),
        (environment_readers, "collector/a.py", "import os\nos.environ['A']"),
        (environment_readers, "collector/a.py", "from os import getenv"),
        (oversized, "collector/a.py", "a = 1\n" * 301),
        (oversized, "collector/a.py", "def f():\n" + "    a = 1\n" * 40),
        (globals_and_leftovers, "collector/a.py", "def f():\n    global a\n    a = 1"),
        (globals_and_leftovers, "collector/utils.py", ""),
    ],
)
def test_rule_broken_by_a_source_says_so(rule: Rule, path: str, text: str) -> None:
    """Each rule finds the fault in a small source that has it."""
    assert list(rule(Module(path, text)))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("dashboard/a.py", "from mosquitto.access import Access\nfrom telemetry import store"),
        ("collector/session.py", "import paho.mqtt.client"),
        ("telemetry/store/head.py", "import sqlite3\nfrom telemetry.store import blocks"),
        ("dashboard/figures.py", "import plotly\nimport dash_bootstrap_components"),
        ("telemetry/settings.py", "import os\nos.environ"),
        ("telemetry/commands/export.py", "from telemetry.store import open_querier"),
        ("telemetry/commands/erase.py", "from mosquitto.access_change import note_command"),
        ("telemetry/commands/doctor.py", "from mosquitto.access_known import clients_here"),
        ("collector/a.py", "a = 1\n" * 300),
        ("collector/a.py", 'def f():\n    """A.' + "\n" * 40 + '    """\n'),
    ],
)
def test_rules_kept_by_a_source_are_silent(path: str, text: str) -> None:
    """What the design allows is no fault."""
    assert [fault for rule in RULES for fault in rule(Module(path, text))] == []

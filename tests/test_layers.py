"""The structure holds: imports point one way, there is no circle, and no file outgrows 400 lines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PRODUCT = ROOT / "datarus_jupyter"
TRAINING = ROOT / "training" / "datarus_training"

# A layer may import those before it and its own; layers in one row do not know each other.
ROWS = [
    {"errors", "file_lock", "__init__"},
    {"protocol"},
    {"journal"},
    {"agent"},
    {"engines", "kernels", "surfaces"},
    {"reproduce"},
    {"server", "magics", "commands"},
    {"cli"},
]
RANK = {layer: rank for rank, row in enumerate(ROWS) for layer in row}


def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found = {}
    for package in (PRODUCT, TRAINING):
        for path in package.rglob("*.py"):
            parts = path.relative_to(package.parent).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imports(name: str) -> Iterator[str]:
    """The modules of ours that a module imports when it is loaded."""
    tree = ast.parse(MODULES[name].read_text())
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                target = f"{node.module}.{alias.name}"
                if target in MODULES or node.module in MODULES:
                    yield target if target in MODULES else node.module


def layer(name: str) -> str:
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_every_module_belongs_to_a_layer() -> None:
    assert [n for n in MODULES if n.startswith("datarus_jupyter") and layer(n) not in RANK] == []


def test_imports_point_one_way() -> None:
    wrong = []
    for name in (n for n in MODULES if n.startswith("datarus_jupyter")):
        for target in imports(name):
            down = RANK[layer(target)] < RANK[layer(name)] if target.startswith("datarus_jupyter") else False
            if not down and layer(target) != layer(name):
                wrong.append(f"{name} imports {target}")
    assert wrong == []


def test_training_knows_neither_the_server_nor_the_magics() -> None:
    banned = ("datarus_jupyter.server", "datarus_jupyter.magics")
    training = [name for name in MODULES if name.startswith("datarus_training")]
    assert [f"{n} imports {t}" for n in training for t in imports(n) if t.startswith(banned)] == []


def test_there_is_no_circle() -> None:
    order = TopologicalSorter({name: {t for t in imports(name) if t != name} for name in MODULES})
    assert len(list(order.static_order())) == len(MODULES)  # raises CycleError


def test_no_file_is_over_400_lines() -> None:
    front = [path for path in (ROOT / "labextension" / "src").glob("*.ts*") if path.name != "events.ts"]
    long = {str(p.relative_to(ROOT)): n for p in [*MODULES.values(), *front] if (n := p.read_text().count("\n")) > 400}
    assert long == {}

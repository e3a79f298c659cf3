"""The pages under docs/ name only tests that there are."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))
NAMED = re.compile(r"\b(tests/[\w./]+\.py)(?:::(\w+))?")


@cache
def functions_in(path: Path) -> frozenset[str]:
    """The names of the functions at the top of a file."""
    nodes = ast.parse(path.read_text()).body
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_names_is_there(page: Path) -> None:
    for file, test in NAMED.findall(page.read_text()):
        assert (ROOT / file).is_file(), file
        assert not test or test in functions_in(ROOT / file), f"{file}::{test}"


def test_each_threat_has_a_test() -> None:
    _, _, table = (ROOT / "docs" / "security.md").read_text().partition("|---|---|---|\n")
    rows = table.partition("\n\n")[0].splitlines()
    assert len(rows) >= 15
    assert [row for row in rows if "::test_" not in row.rsplit("|", 2)[1]] == []

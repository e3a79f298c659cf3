"""All rows of the matrix, in the order of the table."""

from __future__ import annotations

from tests.faults import (
    engine_faults,
    journal_faults,
    kernel_faults,
    notebook_faults,
    server_faults,
    tab_faults,
)
from tests.faults.matrix import MATRIX, Fault

_PARTS = (tab_faults, notebook_faults, kernel_faults, engine_faults, server_faults, journal_faults)


def rows() -> list[Fault]:
    """Every fault, part by part."""
    assert all(part.__doc__ for part in _PARTS), "each part says what it is about"
    return list(MATRIX.rows)

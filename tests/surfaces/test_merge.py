"""Merging a run's cells into a notebook that the user works in at the same time."""

from __future__ import annotations

import copy
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_runs import RUN, run

from datarus_jupyter.errors import SurfaceError
from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.surfaces.merge import cell_ids, edited, merge, refuse_loss

CELLS = CellsFold.of(run(anchor="user-1", steps=3)).cells


def notebook(count: int) -> dict[str, Any]:
    """A notebook with the user's cells ``user-0`` …"""
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(f"x = {number}", id=f"user-{number}") for number in range(count)]
    return made


def ids(nb: dict[str, Any]) -> list[str]:
    return [cell["id"] for cell in nb["cells"]]


def test_cells_go_below_the_anchor_in_their_order() -> None:
    merged = merge(notebook(3), CELLS, RUN, "user-1", ())
    run_ids = [cell["id"] for cell in CELLS]
    assert ids(merged) == ["user-0", "user-1", *run_ids, "user-2"]
    nbformat.validate(nbformat.from_dict(merged))


@pytest.mark.parametrize("anchor", [None, "not there"])
def test_without_the_anchor_they_go_to_the_end(anchor: str | None) -> None:
    assert ids(merge(notebook(2), CELLS, RUN, anchor, ()))[:2] == ["user-0", "user-1"]


@given(users=st.integers(0, 4), first=st.integers(0, len(CELLS)), anchor=st.sampled_from([None, "user-0", "user-2"]))
def test_merging_again_or_in_parts_changes_nothing(users: int, first: int, anchor: str | None) -> None:
    whole = merge(notebook(users), CELLS, RUN, anchor, ())
    parts = merge(merge(notebook(users), CELLS[:first], RUN, anchor, ()), CELLS, RUN, anchor, ())
    assert merge(whole, CELLS, RUN, anchor, ()) == whole
    assert ids(parts) == ids(whole)
    assert parts == whole


@given(deleted=st.sets(st.integers(0, len(CELLS) - 1)), changed=st.sets(st.integers(0, len(CELLS) - 1)))
def test_the_users_edits_and_deletions_stay(deleted: set[int], changed: set[int]) -> None:
    before = copy.deepcopy(merge(notebook(2), CELLS, RUN, None, ()))
    written = cell_ids(before, RUN)
    for index in changed:
        before["cells"][2 + index]["source"] = "mine"
    before["cells"] = [cell for index, cell in enumerate(before["cells"]) if index - 2 not in deleted]
    assert merge(before, CELLS, RUN, None, written) == before


def test_a_moved_cell_stays_where_the_user_put_it_and_later_ones_follow_it() -> None:
    before = merge(notebook(2), CELLS[:3], RUN, None, ())
    before["cells"].insert(0, before["cells"].pop())
    merged = merge(before, CELLS, RUN, None, cell_ids(before, RUN))
    assert ids(merged)[:2] == [CELLS[2]["id"], CELLS[3]["id"]]


def test_a_cell_is_updated_and_keeps_the_users_metadata() -> None:
    events = run()
    early = merge(notebook(1), CellsFold.of(events[:7]).cells, RUN, None, ())
    early["cells"][-1]["metadata"]["tags"] = ["keep"]
    late = merge(early, CellsFold.of(events).cells, RUN, None, ())
    cell = late["cells"][2]
    assert cell["outputs"][0]["text"] == "1\n"
    assert cell["metadata"]["tags"] == ["keep"]
    assert not edited(cell)


def test_an_older_state_does_not_overwrite_a_newer_one() -> None:
    events = run()
    late = merge(notebook(1), CellsFold.of(events).cells, RUN, None, ())
    assert merge(late, CellsFold.of(events[:6]).cells, RUN, None, cell_ids(late, RUN))["cells"][2] == late["cells"][2]


def test_cells_that_the_run_took_back_go_unless_edited() -> None:
    before = copy.deepcopy(merge(notebook(1), CELLS[:4], RUN, None, ()))
    before["cells"][4]["source"] = "mine"
    merged = merge(before, CELLS[:2], RUN, None, cell_ids(before, RUN))
    assert ids(merged) == ["user-0", CELLS[0]["id"], CELLS[1]["id"], CELLS[3]["id"]]


def test_a_save_that_loses_a_users_cell_or_empties_the_notebook_is_refused() -> None:
    before = notebook(2)
    with pytest.raises(SurfaceError, match="refused"):
        refuse_loss(before, {**before, "cells": before["cells"][:1]}, RUN)
    only_ours = {**before, "cells": CELLS}
    with pytest.raises(SurfaceError, match="refused"):
        refuse_loss(only_ours, {**before, "cells": []}, RUN)
    refuse_loss(only_ours, {**before, "cells": CELLS[:1]}, RUN)
    refuse_loss(notebook(0), notebook(0), RUN)


def test_a_source_as_a_list_of_lines_is_the_same_source() -> None:
    cell = copy.deepcopy(CELLS[0])
    cell["source"] = cell["source"].splitlines(keepends=True)
    assert not edited(cell)

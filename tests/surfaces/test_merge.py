"""Merging a run's cells into a notebook that the user works in at the same time."""

from __future__ import annotations

import copy
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_runs import RUN, run, stamped

from datarus_jupyter.errors import SurfaceError
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.surfaces.merge import cell_ids, edited, merge, refuse_loss, trace

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


def test_outputs_that_are_new_are_not_trusted_because_there_were_none_before() -> None:
    events = run()
    early = merge(notebook(1), CellsFold.of(events[:7]).cells, RUN, None, ())
    early["cells"][-1]["metadata"]["trusted"] = True
    late = merge(early, CellsFold.of(events).cells, RUN, None, ())
    assert "trusted" not in late["cells"][2]["metadata"]
    late["cells"][2]["metadata"]["trusted"] = True
    assert merge(late, CellsFold.of(events).cells, RUN, None, ()) == late


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


def back(step: int) -> CellsFold:
    """The run of three steps and an answer, taken back to before ``step``."""
    return CellsFold.of(stamped([*run(anchor="user-1", steps=3), ev.Reverted(step=step)]))


def test_what_was_taken_back_goes_and_what_the_user_edited_stays_as_theirs() -> None:
    before = copy.deepcopy(merge(notebook(2), CELLS, RUN, "user-1", ()))
    before["cells"][5]["source"] = "mine"
    before["cells"][5]["metadata"]["tags"] = ["keep"]
    fold = back(2)
    merged = merge(before, fold.cells, RUN, "user-1", cell_ids(before, RUN), fold.reverted)
    kept = before["cells"][5]["id"]
    assert ids(merged) == ["user-0", "user-1", CELLS[0]["id"], CELLS[1]["id"], kept]
    assert merged["cells"][4]["metadata"] == {"tags": ["keep"]}
    assert (kept, merged["cells"][4]["source"]) == (f"datarus-{RUN}-2-code", "mine")
    nbformat.validate(nbformat.from_dict(merged))


def test_a_kept_cell_is_never_written_again_whatever_its_text_becomes() -> None:
    before = copy.deepcopy(merge(notebook(1), CELLS, RUN, None, ()))
    own = before["cells"][4]["source"]
    before["cells"][4]["source"] = "mine"
    fold = back(2)
    once = copy.deepcopy(merge(before, fold.cells, RUN, None, cell_ids(before, RUN), fold.reverted))
    assert once["cells"][-1]["source"] == "mine"
    once["cells"][-1]["source"] = own
    assert merge(once, fold.cells, RUN, None, cell_ids(once, RUN), fold.reverted) == once


def test_a_copy_of_a_runs_cell_is_the_users_own() -> None:
    before = copy.deepcopy(merge(notebook(1), CELLS, RUN, None, ()))
    before["cells"].append({**before["cells"][-1], "id": "pasted"})
    fold = back(1)
    assert ids(merge(before, fold.cells, RUN, None, cell_ids(before, RUN), fold.reverted)) == ["user-0", "pasted"]


def test_a_cell_that_the_user_put_back_after_it_was_taken_stays() -> None:
    fold = back(2)
    before = copy.deepcopy(merge(notebook(1), CELLS, RUN, None, ()))
    before["metadata"]["datarus"] = {"runs": {RUN: fold.reverted}}
    merged = merge(before, fold.cells, RUN, None, cell_ids(before, RUN), fold.reverted)
    assert ids(merged) == ids(before)
    assert ["datarus" in cell["metadata"] for cell in merged["cells"]][:4] == [False, True, True, False]


def test_taking_all_back_leaves_an_empty_cell_where_there_was_nothing_else() -> None:
    fold = back(1)
    merged = merge(merge(notebook(0), CELLS, RUN, None, ()), fold.cells, RUN, None, (), fold.reverted)
    assert [cell["source"] for cell in merged["cells"]] == [""]
    nbformat.validate(nbformat.from_dict(merged))


def test_the_trace_is_the_last_event_that_the_notebook_held() -> None:
    made = merge(notebook(1), CELLS, RUN, None, ())
    assert trace(notebook(1), RUN) == -1
    assert trace(made, RUN) == CELLS[-1]["metadata"]["datarus"]["seq"]
    assert trace({**made, "metadata": {"datarus": {"runs": {RUN: 999}}}}, RUN) == 999

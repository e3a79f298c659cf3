"""Cells in a shared document: real ones, linked as the server links the browsers'."""

from __future__ import annotations

from typing import Any

import nbformat
from hypothesis import given
from hypothesis import strategies as st
from jupyter_ydoc import YNotebook
from recorded_runs import RUN, run

from datarus_jupyter.journal.cells import CellsFold
from datarus_jupyter.surfaces.merge import merge
from datarus_jupyter.surfaces.shared import read, version, write

CELLS = CellsFold.of(run()).cells
IDS = [cell["id"] for cell in CELLS]


def opened(*sources: str, minor: int = 5) -> YNotebook:
    """A shared document with these code cells, as loaded from a file."""
    notebook = nbformat.v4.new_notebook(nbformat_minor=minor)
    notebook.cells = [nbformat.v4.new_code_cell(source, id=f"own-{i}") for i, source in enumerate(sources)]
    document = YNotebook()
    document.set(notebook)
    return document


def copy_of(document: YNotebook) -> YNotebook:
    """The same document in another browser, which is not connected now."""
    copy = YNotebook()
    copy.ydoc.apply_update(document.ydoc.get_update())
    return copy


def exchange(one: YNotebook, other: YNotebook) -> None:
    """Both connect again."""
    one.ydoc.apply_update(other.ydoc.get_update())
    other.ydoc.apply_update(one.ydoc.get_update())


def bring(document: YNotebook, cells: list[dict[str, Any]], written: tuple[str, ...] = ()) -> None:
    """What the surface does at a step boundary."""
    notebook = read(document)
    assert notebook is not None
    write(document, merge(notebook, cells, RUN, None, written))


def sources(document: YNotebook) -> list[str]:
    return [str(cell["source"]) for cell in document.ycells]


def ids(document: YNotebook) -> list[str]:
    return [cell["id"] for cell in document.ycells]


def test_a_run_comes_in_step_by_step_and_its_outputs_with_it() -> None:
    document = opened("a = 1")
    for end in range(len(run()) + 1):
        bring(document, CellsFold.of(run()[:end]).cells)
    notebook = read(document)
    assert notebook is not None
    assert notebook["cells"][1:] == CELLS
    nbformat.validate(nbformat.from_dict(notebook))
    assert document.dirty


def test_a_document_that_is_not_loaded_yet_is_not_read() -> None:
    assert read(YNotebook()) is None


def test_cells_of_an_older_notebook_keep_the_ids_that_they_have_in_the_document() -> None:
    document = opened("a = 1", minor=4)
    notebook = read(document)
    assert notebook is not None
    assert [cell["id"] for cell in notebook["cells"]] == ids(document)
    before = ids(document)
    bring(document, CELLS)
    assert ids(document) == before + IDS
    assert [cell["id"] for cell in document.get()["cells"]] == ids(document)


def test_the_cell_in_which_a_user_types_is_not_touched() -> None:
    document = opened("a = 1", "b = 2")
    typing = document.ycells[1]["source"]
    bring(document, CELLS)
    typing += " + 1"
    assert sources(document)[:2] == ["a = 1", "b = 2 + 1"]


def test_what_the_user_made_of_a_cell_of_the_run_stays() -> None:
    document = opened("a = 1")
    bring(document, CELLS[:2])
    source = document.ycells[2]["source"]
    source += "  # mine"
    del document.ycells[1]
    bring(document, CELLS, tuple(IDS[:2]))
    assert ids(document) == ["own-0", *IDS[1:]]
    assert sources(document)[1].endswith("  # mine")


def test_the_version_is_that_of_the_content() -> None:
    document = opened("a = 1")
    before = read(document)
    bring(document, CELLS)
    after = read(document)
    assert before is not None
    assert after is not None
    assert version(before) != version(after)
    assert version(after) == version(read(copy_of(document)) or {})


def test_cells_that_two_wrote_at_once_are_there_once() -> None:
    document = opened("a = 1")
    other = copy_of(document)
    bring(document, CELLS)
    bring(other, CELLS)
    exchange(document, other)
    assert len(ids(document)) > len(IDS) + 1
    bring(document, CELLS)
    exchange(document, other)
    assert ids(document) == ids(other) == ["own-0", *IDS]


@given(st.lists(st.tuples(st.integers(0, 3), st.text("xyz\n", max_size=4)), max_size=8), st.integers(0, len(CELLS)))
def test_whatever_users_type_meanwhile_both_have_it_and_all_cells(edits: list[tuple[int, str]], half: int) -> None:
    document = opened("a", "b", "c", "d")
    bring(document, CELLS[:half])
    other = copy_of(document)
    bring(document, CELLS, tuple(IDS[:half]))
    for index, typed in edits:
        source = other.ycells[index]["source"]
        source += typed
    expected = sources(other)[:4]
    exchange(document, other)
    assert sources(document) == sources(other) == [*expected, *(cell["source"] for cell in CELLS)]
    assert ids(document) == [f"own-{i}" for i in range(4)] + IDS

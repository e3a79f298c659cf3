"""Whose a name is that the kernel holds."""

from __future__ import annotations

from datarus_jupyter.agent.ownership import left_by_runs, made_by


def test_the_names_that_a_cell_makes_are_its_own() -> None:
    assert made_by("import os\na, b = 1, 2\nfor c in range(a):\n    print(c, d)") == {"a", "b", "c"}
    assert made_by("a = (") == set()


def test_what_only_runs_made_is_free_and_what_the_user_took_up_is_theirs() -> None:
    runs = ["df = read()\nmeans = df.mean()", "plot = draw(means)"]
    assert left_by_runs(runs, []) == {"df", "means", "plot"}
    assert left_by_runs(runs, ["df.head()", "%time means2 = (means"]) == {"plot"}
    assert left_by_runs([], ["df = 1"]) == set()

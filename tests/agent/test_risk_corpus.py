"""How well the scan does on labelled snippets, by halves: the one that it was tuned on, and the one held out."""

from __future__ import annotations

import pytest
from risk_snippets import Snippet, share, snippets


def halves(*, held_out: bool) -> tuple[list[Snippet], list[Snippet]]:
    """The risky and the harmless ones of a half."""
    half = [snippet for snippet in snippets() if snippet.held_out is held_out]
    return [s for s in half if s.kind != "harmless"], [s for s in half if s.kind == "harmless"]


def test_the_corpus_is_large_enough_and_half_of_it_is_harmless() -> None:
    every = snippets()
    harmless = [snippet for snippet in every if snippet.kind == "harmless"]
    assert len({snippet.code for snippet in every}) == len(every) >= 150
    assert 0.45 <= len(harmless) / len(every) <= 0.55


@pytest.mark.parametrize("held_out", [False, True])
def test_what_is_risky_is_found_and_what_is_harmless_is_left_alone(held_out: bool) -> None:
    risky, harmless = halves(held_out=held_out)
    assert min(len(risky), len(harmless)) >= 50
    assert share(risky, right=True) >= 0.95, [s.code for s in risky if not s.right]
    assert share(harmless, right=False) <= 0.05, [s.code for s in harmless if not s.right]

"""What ``make fuzz`` fuzzes with atheris for as long as one likes, each target a few hundred times here."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.targets import DICTIONARY, TARGETS


@pytest.mark.parametrize("name", TARGETS)
@settings(deadline=None)
@given(st.data())
def test_no_input_breaks_a_target(name: str, data: st.DataObject) -> None:
    words = st.sampled_from([word.encode() for word in DICTIONARY[name]])
    pieces = st.lists(words | st.binary(max_size=40), max_size=30)
    TARGETS[name](b"".join(data.draw(pieces)))

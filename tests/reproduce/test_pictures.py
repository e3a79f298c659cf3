"""Plots that look alike and plots that do not, drawn by matplotlib."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from datarus_jupyter.reproduce.pictures import picture_difference

Draw = Callable[[Any], object]


def picture(draw: Draw, **saving: Any) -> str:
    figure = Figure()
    draw(figure.subplots())
    buffer = io.BytesIO()
    figure.savefig(buffer, **{"format": "png", "dpi": 72, "bbox_inches": "tight", **saving})
    return base64.b64encode(buffer.getvalue()).decode()


def scatter(seed: int, count: int = 50, shift: float = 0.0) -> Draw:
    x, y = np.random.default_rng(seed).normal(size=(2, count))
    return lambda axes: (axes.scatter(x + shift, y, s=8), axes.set_xlim(-4, 4), axes.set_ylim(-4, 4))


def line(seed: int) -> Draw:
    x = np.linspace(0, 10, 100)
    y = np.sin(x) + np.random.default_rng(seed).normal(size=100) * 0.05
    return lambda axes: (axes.plot(x, y), axes.set_ylim(-2, 2))


def bars(*heights: float, color: str = "C0") -> Draw:
    return lambda axes: (axes.bar(range(len(heights)), heights, color=color), axes.set_ylim(0, 12))


def histogram(seed: int) -> Draw:
    sample = np.random.default_rng(seed).normal(size=1000)
    return lambda axes: axes.hist(sample, bins=30)


def titled(title: str) -> Draw:
    return lambda axes: (axes.plot([1, 2, 3]), axes.set_title(title))


ALIKE = [
    (picture(scatter(1)), picture(scatter(1), metadata={"Software": "another version"})),
    (picture(scatter(1)), picture(scatter(1, shift=1e-4))),
    (picture(line(1)), picture(line(1), dpi=73)),
    (picture(line(1)), picture(line(1), format="jpg")),
    (picture(histogram(1)), picture(histogram(1), dpi=71)),
    (picture(bars(3, 5, 9)), picture(bars(3, 5, 9), format="webp")),
    (picture(titled("Sales")), picture(titled("Sales"), transparent=True)),
]

UNLIKE = [
    (picture(scatter(1)), picture(scatter(2))),
    (picture(scatter(1, 2000)), picture(scatter(2, 2000))),
    (picture(scatter(1, 50)), picture(scatter(1, 51))),
    (picture(line(1)), picture(line(2))),
    (picture(bars(3, 5, 9)), picture(bars(3, 5, 8.5))),
    (picture(bars(3, 5, 9, 4, 3, 2, 7, 8, 9, 1)), picture(bars(3, 5, 9, 4, 3, 2, 7, 7.5, 9, 1))),
    (picture(bars(3, 5, 9)), picture(bars(3, 5, 9, color="C1"))),
    (picture(histogram(1)), picture(histogram(2))),
    (picture(titled("Sales")), picture(titled("Sales in 2025"))),
    (picture(bars(1)), picture(bars(1), dpi=144)),
    ("AAAA", "AAAB"),
    (picture(bars(1)), "not base64!"),
]


@pytest.mark.parametrize(("before", "after"), ALIKE)
def test_pictures_that_look_alike(before: str, after: str) -> None:
    assert picture_difference(before, after) == ""
    assert picture_difference(after, before) == ""


@pytest.mark.parametrize(("before", "after"), UNLIKE)
def test_pictures_that_do_not(before: str, after: str) -> None:
    assert "picture" in picture_difference(before, after)
    assert "picture" in picture_difference(after, before)


def test_another_size_is_said() -> None:
    assert "pixels, is" in picture_difference(picture(bars(1)), picture(bars(1), dpi=144))

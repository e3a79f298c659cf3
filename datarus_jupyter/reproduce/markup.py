"""SVG as text that does not change from run to run."""

from __future__ import annotations

import re

_UNSEEN = re.compile(r"<metadata\b.*?</metadata>|<!--.*?-->|<\?.*?\?>", re.DOTALL)
_ID = re.compile(r"""\b(?:xlink:href|href|id)=["']#?([^"']+)["']|url\(#([^)]+)\)""")


def svg_text(svg: str) -> str:
    """``svg`` without metadata and comments, its ids numbered in their order: matplotlib draws them at random."""
    names: dict[str, str] = {}

    def numbered(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return match[0].replace(name, names.setdefault(name, f"id{len(names)}"))

    return _ID.sub(numbered, _UNSEEN.sub("", svg))

"""Whether a place in Python source lies inside a string literal.

The model's code may contain the protocol's own tags in strings; only a tag outside of every literal ends the code.
This follows quotes and comments and nothing else, and goes on from where it stopped, so a growing source is read once.
"""

from __future__ import annotations

import re

# What may change the state outside of a literal: a comment or an opening quote.
_OPEN = re.compile(r"#[^\n]*|\"\"\"|'''|\"|'")
_CLOSE = {
    '"""': re.compile(r'\\.|"""', re.DOTALL),
    "'''": re.compile(r"\\.|'''", re.DOTALL),
    # A one-line literal also ends with its line: an unfinished one must not swallow the rest of the code.
    '"': re.compile(r"\\.|\"|\n", re.DOTALL),
    "'": re.compile(r"\\.|'|\n", re.DOTALL),
}


class LiteralTracker:
    """Reads source in pieces; ``inside`` tells whether the end of what was read lies in a string literal.

    A piece must end right before a tag's ``<``, which never cuts a run of quotes; an escape or a comment that it cuts
    is followed by the tag, which holds no quote.
    """

    def __init__(self) -> None:
        self._quote = ""

    @property
    def inside(self) -> bool:
        """Whether what follows the last piece belongs to a literal."""
        return bool(self._quote)

    def read(self, source: str) -> None:
        """Go on with the next piece of the source."""
        position = 0
        while match := (_CLOSE[self._quote] if self._quote else _OPEN).search(source, position):
            found = match.group()
            if self._quote:
                self._quote = self._quote if found[0] == "\\" else ""
            elif found[0] != "#":
                self._quote = found
            position = match.end()

"""HTML output as text, its tables with aligned columns. Where an object has only HTML to show for itself."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_UNSEEN = {"script", "style", "head", "template", "svg"}
_BLOCKS = {"p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "section", "caption", "hr"}
_BLANKS = re.compile(r"\s+")
_MAX_CHARS = 500_000
_MAX_ROWS = 1000
_MAX_COLUMNS = 100

Row = list[str]


def html_to_text(html: str) -> str:
    """The visible text of ``html`` (of its first 500,000 characters), each table row on a line."""
    reader = _Reader()
    reader.feed(html[:_MAX_CHARS])
    reader.close()
    return reader.text()


def aligned(rows: list[Row]) -> str:
    """Rows as lines, columns two blanks apart, numbers to the right; what is too many is counted."""
    wide = max((len(row) for row in rows), default=0)
    said = [(len(rows) - _MAX_ROWS, "rows"), (wide - _MAX_COLUMNS, "columns")]
    missing = [f"… {count:,} more {what} left out …" for count, what in said if count > 0]
    return "\n".join([*_lines([row[:_MAX_COLUMNS] for row in rows[:_MAX_ROWS]]), *missing])


def _lines(rows: list[Row]) -> list[str]:
    width = max((len(row) for row in rows), default=0)
    columns = [[row[place] if place < len(row) else "" for row in rows] for place in range(width)]
    sized = [max(map(len, column)) for column in columns]
    right = [_is_number(column[-1]) for column in columns]
    lines = []
    for row in zip(*columns, strict=True):
        cells = [c.rjust(size) if r else c.ljust(size) for c, size, r in zip(row, sized, right, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[-+]?[\d.,]+(?:e[-+]?\d+)?\s*%?|NaN|nan", text))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._rows: list[Row] = []
        self._cell: list[str] | None = None
        self._spans: dict[int, int] = {}
        self._span = (1, 1)
        self._tables = self._unseen = 0

    def text(self) -> str:
        self._close_cell()
        lines = ("".join(self._parts) + (aligned(self._rows) if self._rows else "")).split("\n")
        return "\n".join(line.rstrip() for line in lines if line.strip())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "table":
            self._tables += 1
        elif self._tables == 1 and tag == "tr":
            self._open_row()
        elif self._tables == 1 and tag in ("td", "th"):
            self._open_cell(dict(attrs))
        elif tag in _BLOCKS:
            self._write("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "table" and self._tables:
            self._tables -= 1
            if not self._tables:
                self._close_table()
        elif self._tables == 1 and tag in ("td", "th", "tr"):
            self._close_cell()
        elif tag in _BLOCKS:
            self._write("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._write(_BLANKS.sub(" ", data))

    def _write(self, text: str) -> None:
        if self._cell is not None:
            self._cell.append(text.replace("\n", " "))
        elif not self._tables or text.strip():
            begins = not self._parts or self._parts[-1].endswith("\n")
            self._parts.append(text.lstrip(" ") if begins else text)

    def _open_row(self) -> None:
        self._close_cell()
        self._rows.append([])
        self._skip_spanned()

    def _open_cell(self, attrs: dict[str, str | None]) -> None:
        self._close_cell()
        if not self._rows:
            self._rows.append([])
        self._span = (_number(attrs.get("colspan")), _number(attrs.get("rowspan")))
        self._cell = []

    def _close_cell(self) -> None:
        if self._cell is None:
            return
        row, (columns, rows) = self._rows[-1], self._span
        for place in range(len(row), len(row) + columns):
            if rows > 1:
                self._spans[place] = rows - 1
        row += [_BLANKS.sub(" ", "".join(self._cell)).strip(), *[""] * (columns - 1)]
        self._cell = None
        self._skip_spanned()

    def _skip_spanned(self) -> None:
        """Leave room for a cell that reaches down from a row above."""
        row = self._rows[-1]
        while self._spans.get(len(row), 0) > 0:
            self._spans[len(row)] -= 1
            row.append("")

    def _close_table(self) -> None:
        self._close_cell()
        self._parts.append("\n" + aligned(self._rows) + "\n")
        self._rows, self._spans = [], {}


def _number(text: str | None) -> int:
    return min(int(text), _MAX_COLUMNS) or 1 if text and text.isascii() and text.isdigit() else 1

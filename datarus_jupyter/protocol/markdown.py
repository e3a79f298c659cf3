"""The model's Markdown without what loads from elsewhere or sends there by being looked at.

JupyterLab's sanitizer takes scripts and ``javascript:`` out of untrusted Markdown, but leaves remote images and forms:
an image whose address holds data sends it away as soon as it is shown, to every later reader of the notebook, too. So
an image becomes a link, which somebody has to click, and a tag that loads or submits becomes text. So does a tag of any
kind with attributes: the sanitizer lets each have a style, and a style may load a background. A Mermaid diagram stays
its source, since its nodes may be images.
"""

from __future__ import annotations

import re

_LOADS = (
    *("img", "image", "svg", "picture", "source", "video", "audio", "track", "iframe", "frame", "object", "embed"),
    *("link", "meta", "base", "style", "script", "form", "input", "button", "select", "textarea", "body", "table"),
    *("td", "th", "tr", "div", "span", "p", "map", "area"),
)
_PLAIN = (
    *("a", "abbr", "acronym", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br", "canvas"),
    *("caption", "center", "cite", "code", "col", "colgroup", "command", "data", "datalist", "dd", "del", "details"),
    *("dfn", "dir", "dl", "dt", "em", "fieldset", "figcaption", "figure", "font", "footer", "h[1-6]", "header"),
    *("hgroup", "hr", "i", "ins", "kbd", "label", "legend", "li", "mark", "menu", "meter", "nav", "nobr", "ol"),
    *("optgroup", "option", "output", "pre", "progress", "q", "s", "samp", "section", "small", "strike", "strong"),
    *("sub", "summary", "sup", "tbody", "tfoot", "thead", "time", "tt", "u", "ul", "var", "wbr"),
)
"""The other tags that the sanitizer leaves."""
_TAG = re.compile(
    rf"<(?=\s*/?\s*(?:{'|'.join(_LOADS)})(?![\w-])|/?(?:{'|'.join(_PLAIN)})(?=[\s/])(?!\s{{0,8}}/?>))", re.IGNORECASE
)
_IMAGE = re.compile(r"!+(?=\[)")
_DIAGRAM = re.compile(r"([`~]{3,}[^\S\n]*)mermaid")
_OPENING = re.compile(r"(?:!+|<\s{0,8}/?\s{0,8}[A-Za-z1-6]{0,10}\s{0,8}/?|[`~]{1,2}|[`~]{3,}[^\S\n]*[a-z]{0,6})\Z")


def harmless(text: str) -> str:
    """``text`` with images as links, such tags as text, and diagrams as their source."""
    return _DIAGRAM.sub(r"\1text", _TAG.sub("&lt;", _IMAGE.sub("", text)))


class HarmlessStream:
    """``harmless`` for a text that comes in pieces; only what may be the beginning of a tag is held back."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """What may be shown now."""
        text = self._held + piece
        opening = _OPENING.search(text)
        cut = opening.start() if opening else len(text)
        self._held = text[cut:]
        return harmless(text[:cut])

    def flush(self) -> str:
        """The rest: the text is over."""
        text, self._held = self._held, ""
        return harmless(text)

"""Text from data must never read as ours, and never end what it stands in.

Tags of the protocol and control tokens of chat templates are neutralised, so the envelope of an observation cannot be
closed from inside. What stands elsewhere in a message is fenced, or kept to its line.
"""

from __future__ import annotations

import re

from datarus_jupyter.protocol.tags import TAGS

# Any case, blanks inside, attributes and `<tag/>` too: a model takes these for tags, though our own parser does not.
# A control token is what chat templates are made of: <|im_start|>, <start_of_turn>, DeepSeek's with U+FF5C and U+2581.
_SPECIAL = re.compile(
    rf"<(?=\s*(?:/\s*)?(?:{'|'.join(TAGS)})(?:\s[^<>]*)?/?>"
    r"|[|\uff5c][\w\u2581-]{1,64}[|\uff5c]>"
    r"|(?:start|end)_of_turn>)",
    re.IGNORECASE,
)


def escape(text: str) -> str:
    """``text`` with ``<`` as ``&lt;`` wherever it would begin a tag of ours or a control token; else unchanged.

    Idempotent. Everything else that has a ``<``, such as HTML or ``a < b``, stays as it is.
    """
    return _SPECIAL.sub("&lt;", text)


def fenced(text: str) -> str:
    """``text`` in a code fence that is longer than any run of backticks in it, so that nothing in it ends the fence."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"


def one_line(text: str) -> str:
    """``text`` with a blank for each line break, so that a name cannot begin a line of its own."""
    return " ".join(text.splitlines())

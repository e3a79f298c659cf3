"""What the model is shown of a cell's outputs. Pure; it takes nbformat outputs, from a run or from any notebook.

Bounded for each output and for the whole, with head and tail kept, and escaped: nothing that was printed can read as
a tag of ours.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Any

from datarus_jupyter.agent.excerpt import excerpt
from datarus_jupyter.agent.html_text import html_to_text
from datarus_jupyter.agent.interfaces import Executed
from datarus_jupyter.agent.terminal import as_shown
from datarus_jupyter.agent.traceback_text import traceback_to_text
from datarus_jupyter.protocol.escaping import escape

NO_OUTPUT = "(no output: to see a value, print it or make it the cell's last expression)"

INTERRUPTED = "The user interrupted the cell."

_SAYS = {
    "error": "The cell failed.",
    "timeout": "The cell took too long and was stopped.",
    "dead": "The kernel died while the cell ran, so its variables are gone.",
    "skipped": "The cell was not run.",
}
_BARE = re.compile(r"<[^<>]*(?:object|Figure size|\bat 0x)[^<>]*>|alt\.\w+\(\.\.\.\)")
_CHART = re.compile(r"application/vnd\.(?:plotly|vega|vegalite|bokehjs?)\b.*")
_PNG = b"\x89PNG\r\n\x1a\n"


def observe(
    outputs: Sequence[dict[str, Any]],
    executed: Executed,
    *,
    total_chars: int = 10_000,
    output_chars: int = 4_000,
) -> str:
    """The text of the observation, at most about ``total_chars`` long, each output at most ``output_chars``.

    Outputs are in the order in which they were shown. How the execution ended is said where the outputs do not.
    """
    texts = [output_text(output, output_chars) for output in _joined(outputs)]
    texts.append(_ending(outputs, executed))
    text = "\n".join(text for text in texts if text) or NO_OUTPUT
    # A cut can bring the halves of a tag together, so it is escaped once more.
    return escape(excerpt(text, total_chars))


def output_text(output: dict[str, Any], limit: int) -> str:
    """One nbformat output as escaped text of at most about ``limit`` characters."""
    kind = output.get("output_type")
    if kind == "error":
        return escape(traceback_to_text(output, limit))
    if kind == "stream":
        text = as_shown(_whole(output.get("text", ""))).rstrip()
        text = f"[stderr]\n{text}" if output.get("name") == "stderr" and text else text
    else:
        text = _data_text(output.get("data") or {})
    return escape(excerpt(escape(text), limit))


def _ending(outputs: Sequence[dict[str, Any]], executed: Executed) -> str:
    shows_error = any(output.get("output_type") == "error" for output in outputs)
    if executed.status == "ok" or (executed.status == "error" and shows_error):
        return ""
    if executed.status == "interrupted" and (not executed.error or "KeyboardInterrupt" in executed.error):
        return INTERRUPTED
    return escape(executed.error) or _SAYS[executed.status]


def _joined(outputs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adjacent pieces of one stream in one: a progress bar may begin in one and go on in the next."""
    joined: list[dict[str, Any]] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output.get("output_type") == "stream" and last.get("name", "") == output.get("name"):
            joined[-1] = {**last, "text": _whole(last["text"]) + _whole(output["text"])}
        else:
            joined.append(output)
    return joined


def _data_text(data: dict[str, Any]) -> str:
    plain = as_shown(_whole(data.get("text/plain", ""))).strip("\n")
    says = bool(plain.strip()) and not _BARE.fullmatch(plain.strip()[:500])
    figure = next((mime for mime in data if mime.startswith("image/") or _CHART.fullmatch(mime)), "")
    if figure:
        note = f"[figure: {figure}{_png_size(data[figure])}]"
        return f"{note}\n{plain}" if says else note
    if says:
        return plain
    return _rich_text(data) or plain


def _rich_text(data: dict[str, Any]) -> str:
    for mime in ("text/markdown", "text/latex"):
        if mime in data:
            return _whole(data[mime]).strip("\n")
    if "text/html" in data:
        return html_to_text(_whole(data["text/html"]))
    if "application/json" in data:
        return json.dumps(data["application/json"], ensure_ascii=False)
    return ""


def _png_size(value: Any) -> str:
    """``, 640×480`` from the header of a PNG in base64; '' for anything else."""
    try:
        head = base64.b64decode(_whole(value)[:32], validate=True)
    except binascii.Error:
        return ""
    if len(head) < 24 or not head.startswith(_PNG):
        return ""
    return f", {int.from_bytes(head[16:20])}×{int.from_bytes(head[20:24])}"


def _whole(text: Any) -> str:
    """Multi-line strings may be stored as lists of lines in a notebook."""
    return "".join(map(str, text)) if isinstance(text, list) else str(text)

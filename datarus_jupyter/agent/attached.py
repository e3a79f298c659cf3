"""What the user chose to show with a question, in words: cells, an error, files, variables. Each is bounded.

All of it comes from the user's data, so it is escaped, and fenced so that nothing in it can end its fence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from datarus_jupyter.agent.context import describe_file, file_line
from datarus_jupyter.agent.excerpt import excerpt
from datarus_jupyter.agent.interfaces import Kernel, Question
from datarus_jupyter.agent.observation import output_text
from datarus_jupyter.errors import AttachmentError
from datarus_jupyter.journal.events import Attached, Target
from datarus_jupyter.protocol.escaping import escape, fenced, one_line

_SOURCE_CHARS = 6_000
_OUTPUT_CHARS = 2_000
_FILE_CHARS = 1_500
_FILE_LINES = 12
_FILE_BYTES = 64 * 1024
_VARIABLE_CHARS = 1_500
_ALL_CHARS = 16_000
_PROBE_SECONDS = 5.0

_CHARS_PER_TOKEN = 4

_Name = Annotated[str, msgspec.Meta(max_length=200)]


class ChosenCell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="cell"):
    """A cell as the browser has it, saved or not. ``selection`` is the part of it that the user points to."""

    id: _Name
    name: _Name
    source: str
    outputs: list[dict[str, Any]] = []
    selection: str = ""


class ChosenError(ChosenCell, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="error"):
    """A cell that failed, with its error among ``outputs``."""


class ChosenFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="file"):
    """A file beside the notebook or below, by its path from there."""

    path: Annotated[str, msgspec.Meta(max_length=1_000)]


class ChosenVariable(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="variable"
):
    """A variable in the kernel."""

    name: _Name


Chosen = ChosenCell | ChosenError | ChosenFile | ChosenVariable


_TASK = (
    "Wanted is a new version of {}. Write all of it, as it should stand in the cell, as the code of one step: it is "
    "tried out below that cell. When it ran without an error, end, and say in the answer in one or two sentences what "
    "is different. The user then decides whether it takes the place of the cell."
)


def told(question: Question) -> str:
    """The context of a question in words, what changes most last, so that the rest stays in the engine's cache."""
    parts = [question.context] if question.context else []
    if question.attached:
        parts.append("The user points to:")
        parts += [one.text for one in question.attached]
    if question.target:
        parts.append(_TASK.format(escape(question.target.name)))
    return "\n\n".join(parts)


def within(shown: Sequence[Attached], target: Target | None = None, limit: int = _ALL_CHARS) -> list[Attached]:
    """``shown`` with at most ``limit`` characters of content in all. What does not fit is only named, which it says.

    There is room for ``target`` first, then for the others in their order.
    """
    kept = list(shown)
    for place in sorted(range(len(kept)), key=lambda n: target is None or kept[n].name != target.name):
        one = kept[place]
        if len(one.text) <= limit:
            limit -= len(one.text)
        else:
            left = f"Not shown, as there is no room for it: {one.kind} {one.name}. Look at it with code if you need it."
            kept[place] = msgspec.structs.replace(one, text=escape(one_line(left)))
    return kept


def cell_text(cell: ChosenCell) -> Attached:
    """A cell with its outputs."""
    failed = isinstance(cell, ChosenError)
    head = f"{one_line(cell.name)} of the notebook{', which failed' if failed else ''}:"
    parts = [f"{head[0].upper()}{head[1:]}\n{fenced(excerpt(cell.source, _SOURCE_CHARS))}"]
    if cell.selection.strip():
        parts.append(f"Selected in it:\n{fenced(excerpt(cell.selection, _SOURCE_CHARS))}")
    texts = [output_text(output, _OUTPUT_CHARS) for output in cell.outputs]
    if shown := "\n".join(text for text in texts if text):
        parts.append(f"What it printed:\n{fenced(excerpt(shown, _OUTPUT_CHARS))}")
    return Attached(kind="error" if failed else "cell", name=cell.name, text=escape("\n".join(parts)))


def file_text(folder: Path, path: str) -> Attached:
    """A file in ``folder`` or below: what is known of it and how it begins. Raises ``AttachmentError``.

    A link is followed wherever it leads, as Jupyter follows it; ``..`` and hidden names are refused, as there.
    """
    place = folder / path
    hidden = any(part.startswith(".") for part in Path(path).parts)
    if hidden or not place.is_relative_to(folder) or not place.is_file():
        raise AttachmentError(f"There is no file {path} beside the notebook: take it from the question.")
    try:
        line = file_line(describe_file(place, path)).partition("\n")[0]
        head = _head(place)
    except OSError as error:
        raise AttachmentError(f"{path} cannot be read ({error.strerror}): take it from the question.") from error
    text = f"File {line.removeprefix('- ')}"
    if head:
        text += f"\nIts first lines:\n{fenced(head)}"
    return Attached(kind="file", name=path, text=escape(text))


def _head(place: Path) -> str:
    """The first lines of a text file; '' for anything else."""
    with place.open("rb") as file:
        head = file.read(_FILE_BYTES)
    if b"\0" in head:
        return ""
    lines = head.decode("utf-8-sig", "replace").splitlines()[:_FILE_LINES]
    text = "\n".join(lines)
    return text if len(text) <= _FILE_CHARS else text[:_FILE_CHARS] + " …"


# Reads and shows at most the head of a table or array; of anything else that is no plain value, its type only.
_PROBE = """
def _datarus_show(names):
    import json, reprlib, sys
    user = sys.modules["__main__"].__dict__
    plain = reprlib.Repr()
    plain.maxdict = plain.maxlist = plain.maxtuple = plain.maxset = 20
    plain.maxstring = plain.maxother = 500
    def show(value):
        kind = type(value)
        module = (kind.__module__ or "").partition(".")[0]
        if module in ("pandas", "polars") and hasattr(value, "head"):
            if hasattr(value, "dtypes") and hasattr(value.dtypes, "to_string"):
                return value.dtypes.to_string() + "\\n" + value.head(5).to_string()
            return str(value.head(5))
        if module == "numpy" and hasattr(value, "dtype"):
            return str(value.dtype) + "\\n" + plain.repr(getattr(value, "flat", [value])[:20].tolist())
        if kind in (int, float, bool, str, list, dict, tuple, set, type(None)):
            return plain.repr(value)
        return ""
    found = {}
    for name in names:
        if name in user:
            value = user[name]
            shape = " × ".join(str(n) for n in getattr(value, "shape", ()) or ())
            kind = type(value).__name__ + (" (" + shape + ")" if shape else "")
            found[name] = [kind, show(value)[:4000]]
    print(json.dumps(found))
_datarus_show(%s)
del _datarus_show
"""


async def variable_texts(kernel: Kernel, names: Sequence[str]) -> list[Attached]:
    """Variables as they are now, in the order of ``names``. One that the kernel does not tell of is only named."""
    asked = [name for name in names if name.isidentifier()]
    text = await kernel.evaluate(_PROBE % msgspec.json.encode(asked).decode(), timeout=_PROBE_SECONDS) if asked else ""
    try:
        known = msgspec.json.decode(text.strip().encode(), type=dict[str, tuple[str, str]])
    except msgspec.DecodeError:
        known = {}
    return [_variable(name, known.get(name)) for name in names]


def _variable(name: str, known: tuple[str, str] | None) -> Attached:
    if known is None:
        text = one_line(f"Variable {name}, of which the kernel tells nothing now")
    else:
        kind, shown = known
        text = one_line(f"Variable {name}: {kind}")
        text += f"\n{fenced(excerpt(shown, _VARIABLE_CHARS))}" if shown else ""
    return Attached(kind="variable", name=name, text=escape(text))


def about_tokens(text: str) -> int:
    """About how many tokens a text takes: one for four characters, as is usual for English and code."""
    return -(-len(text) // _CHARS_PER_TOKEN)

"""Risky by the places that calls name: files outside of the working directory, addresses, keys, files written over.

A new file in the working directory is ordinary work. What counts as written over is a file that the user had before,
or one that the same code has read and that the run did not write itself.
"""

from __future__ import annotations

import ast
import os.path
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from datarus_jupyter.agent.risk.finding import Risk
from datarus_jupyter.agent.risk.names import NOTHING, Names, Texts

_ADDRESS = re.compile(
    r"\s*(https?|ftps?|sftp|ssh|wss?|smb|s3[an]?|gs|gcs|az|adl|abfss?|hdfs|postgres(ql)?|mysql|mariadb|mssql|oracle"
    r"|mongodb|rediss?|snowflake|bigquery|clickhouse|redshift|trino|presto)(\+\w+)?://",
    re.IGNORECASE,
)
_KEYS = re.compile(
    r"(^|[\\/~])\.(ssh|aws|gnupg|kube|docker|netrc|pgpass|pypirc|env|git-credentials|azure|kaggle|npmrc)(?=$|[\\/.])"
    r"|\bid_(rsa|ed25519|ecdsa|dsa)\b|/proc/(self|\d+)/environ|/etc/shadow|\.(pem|p12|pfx|keystore|jks)$"
    r"|(^|[\\/])(kaggle\.json|credentials(\.json|\.csv)?|secrets?\.(toml|json|ya?ml)|authorized_keys|\.?htpasswd)$"
)
_ROOTS = (
    "etc|home|usr|var|tmp|root|proc|dev|mnt|opt|srv|sys|boot|data|media|Users|Volumes|private|kaggle|content|run|bin"
)
_ABSOLUTE = re.compile(rf"(file://)?(/({_ROOTS})(/|$)|(/[^/\s]+){{2,}}/?$)|[A-Za-z]:[\\/]|\\\\\w|~\w*[\\/]")
_NOWHERE = {"/dev/null", "/dev/stdout", "/dev/stderr"}
_HERE = {"pathlib.Path.cwd()", "pathlib.Path().cwd()", "pathlib.Path().resolve()", "os.getcwd()", "os.path.abspath()"}
_UP = re.compile(r"(^|[\\/])\.\.($|[\\/])")

# Texts that these are given are words, patterns or links for a reader, even where they look like a place.
_WORDS = frozenset(
    """
    print display Markdown HTML Latex Image IFrame replace split rsplit strip lstrip rstrip startswith endswith title
    xlabel ylabel set_title set_xlabel set_ylabel suptitle text annotate legend find rfind count index match fullmatch
    search sub findall finditer contains extract extractall removeprefix removesuffix partition rpartition isin query
    eval info warning error debug exception append add_argument update_layout set_index groupby drop urlparse urljoin
    quote unquote dedent Series DataFrame fillna map
    """.split()
)
_ROOTED = frozenset("open listdir scandir walk chdir Path glob iglob rglob rmtree".split())
_OPENERS = {"open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open"}
_WRITERS = re.compile(r"to_(csv|excel|parquet|json|pickle|feather|hdf|html|stata|orc|xml|markdown|latex|clipboard)$")
_ALSO_WRITE = frozenset(
    """
    write_csv write_parquet write_json write_excel savefig imsave save savetxt savez savez_compressed write_image
    write_html tofile urlretrieve ExcelWriter
    """.split()
)
_READERS = re.compile(r"(read_\w+|scan_\w+|load\w*|genfromtxt|fromfile|imread|open_dataset|File|ExcelFile)$")
_WRITES_SELF = {"write_text", "write_bytes", "touch"}
_READS_SELF = {"read_text", "read_bytes"}
_WRITES_SECOND = {"copy", "copy2", "copyfile", "copytree", "dump"}


@dataclass(slots=True)
class Files:
    """The files that were there before the run, which the user has or named, and those that it read and wrote."""

    given: Collection[str] = ()
    read: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)

    def overwritten(self, place: str) -> bool:
        """Whether writing there takes something away that the run did not make."""
        return place not in self.written and (place in self.read or place in self.given)


def known_files(given: Iterable[str], earlier: Sequence[ast.AST], names: Names) -> Files:
    """The user's files, and what the run's ``earlier`` code has read and written."""
    files = Files({os.path.normpath(path) for path in given})
    for call in _calls(earlier):
        _use(call, names, files)
    return files


def places(nodes: Sequence[ast.AST], names: Names, files: Files, folder: str | None) -> Iterator[Risk]:
    """The risks of the calls among ``nodes``. ``folder`` is the working directory."""
    for call in _calls(nodes):
        name = _name(call.func)
        for place in _use(call, names, files):
            yield Risk(call.lineno, "overwrites", place.removeprefix(_VARIABLE))
        if name in _WORDS or name.endswith(("Error", "Exception", "Warning")):
            continue
        for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
            for text in sorted(names.texts(argument)):
                yield from place_risks(call.lineno, text, files, folder, rooted=name in _ROOTED)
    for node in nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            for text in sorted(names.texts(node)):
                yield from place_risks(node.lineno, text, files, folder)
    yield from _climbing(nodes, names)


def place_risks(line: int, text: str, files: Files, folder: str | None, *, rooted: bool = False) -> Iterator[Risk]:
    """The risks of using ``text`` as a place; with ``rooted``, also where it is a single ``/``."""
    if _ADDRESS.match(text):
        yield Risk(line, "network", text)
        return
    if _KEYS.search(text):
        yield Risk(line, "secrets", text)
    if os.path.normpath(text) not in files.given and _is_outside(text, folder, rooted):
        yield Risk(line, "outside", text)


def _is_outside(text: str, folder: str | None, rooted: bool) -> bool:
    if text in _NOWHERE or "\n" in text:
        return False
    if _ABSOLUTE.match(text):
        place = os.path.normpath(text.removeprefix("file://"))
        return folder is None or not (place + os.sep).startswith(os.path.join(os.path.normpath(folder), ""))
    if _UP.search(text):
        return os.path.normpath(text.replace("\\", "/")).startswith("..")
    return rooted and text in ("/", "~", "\\")


def _climbing(nodes: Sequence[ast.AST], names: Names) -> Iterator[Risk]:
    """``Path.cwd().parent`` and ``os.path.dirname(os.getcwd())``."""
    for node in nodes:
        match node:
            case ast.Attribute(value=value, attr="parent" | "parents"):
                above = names.origins(value) & {
                    "pathlib.Path.cwd()",
                    "pathlib.Path().cwd()",
                    "pathlib.Path().resolve()",
                }
            case ast.Call(func=function, args=[value, *_]) if "os.path.dirname" in names.origins(function):
                above = names.origins(value) & _HERE
            case _:
                continue
        if above:
            yield Risk(node.lineno, "outside", ast.unparse(node))


def _calls(nodes: Sequence[ast.AST]) -> Iterator[ast.Call]:
    """In the order of their lines, so that what is read first is read before it is written."""
    return iter(sorted((node for node in nodes if isinstance(node, ast.Call)), key=lambda call: call.end_lineno or 0))


def _use(call: ast.Call, names: Names, files: Files) -> list[str]:
    """Note what the call reads and writes; the files that it writes over."""
    written = [os.path.normpath(place) for place in _written(call, names)]
    over = [place for place in written if files.overwritten(place)]
    files.written.update(place for place in written if place not in over)
    files.read.update(os.path.normpath(place) for place in _read(call, names) if place not in files.written)
    return over


def _written(call: ast.Call, names: Names) -> Iterator[str]:
    name = _name(call.func)
    if _opened(call, names) == "w":
        yield from _first(call, names)
    elif _WRITERS.match(name) or name in _ALSO_WRITE:
        for argument in [*call.args[:2], *(keyword.value for keyword in call.keywords)]:
            yield from _place(argument, names)
    elif name in _WRITES_SECOND and len(call.args) > 1:
        yield from _place(call.args[1], names)
    elif name in _WRITES_SELF and isinstance(call.func, ast.Attribute):
        yield from _place(call.func.value, names)


def _read(call: ast.Call, names: Names) -> Iterator[str]:
    name = _name(call.func)
    if _opened(call, names) == "r" or _READERS.match(name):
        yield from _first(call, names)
    elif name in _READS_SELF and isinstance(call.func, ast.Attribute):
        yield from _place(call.func.value, names)


def _opened(call: ast.Call, names: Names) -> str:
    """Whether the call opens a file to ``w`` write or to ``r`` read it; '' if it opens none."""
    own = bool(names.origins(call.func) & _OPENERS)
    if not own and names.origins(call.func) != {"pathlib.Path().open"}:
        return ""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] or call.args[own : own + 1]
    modes: Texts = names.texts(given[0]) if given else frozenset({"r"})
    return "w" if any(set(mode) & set("wax+") for mode in modes) else "r"


def _first(call: ast.Call, names: Names) -> Iterator[str]:
    if isinstance(call.func, ast.Attribute) and names.origins(call.func) == {"pathlib.Path().open"}:
        yield from _place(call.func.value, names)
    elif call.args:
        yield from _place(call.args[0], names)


_VARIABLE = "the file named by "


def _place(node: ast.expr, names: Names) -> Iterator[str]:
    texts = names.texts(node) if isinstance(node, ast.expr) else NOTHING
    if not texts and isinstance(node, ast.Name):
        yield _VARIABLE + node.id
    yield from texts


def _name(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""

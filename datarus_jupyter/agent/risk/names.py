"""What the names in a piece of code stand for, as far as its syntax tells.

A name stands for everything that it is bound to anywhere in the piece: neither the order of the statements nor their
scopes count, so an alias cannot hide behind either. A name that is bound nowhere was bound in an earlier cell: it
stands for the module, or the function, that usually has this name.

What an expression stands for is a dotted *origin*: ``rm`` after ``from shutil import rmtree as rm`` has the origin
``shutil.rmtree``, and ``Path(x).parent`` has ``pathlib.Path().parent``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice, product

Origins = frozenset[str]
Texts = frozenset[str]

NOTHING: frozenset[str] = frozenset()
UNKNOWN = "…"
"""Stands in a text for the part of it that is not known."""

_MOST = 16
"""A name has at most so many meanings; code that has more is no code that anybody reads."""

_USUAL = {
    "pd": "pandas",
    "np": "numpy",
    "plt": "matplotlib.pyplot",
    "sns": "seaborn",
    "tf": "tensorflow",
    "sp": "subprocess",
    "Path": "pathlib.Path",
    "environ": "os.environ",
    "getenv": "os.getenv",
    "rmtree": "shutil.rmtree",
    "urlopen": "urllib.request.urlopen",
    "urlretrieve": "urllib.request.urlretrieve",
    "Popen": "subprocess.Popen",
    "check_output": "subprocess.check_output",
    "check_call": "subprocess.check_call",
    "getpass": "getpass.getpass",
    "load_dotenv": "dotenv.load_dotenv",
    "import_module": "importlib.import_module",
}
_BUILTINS = {"exec", "eval", "compile", "open", "__import__", "getattr", "globals", "locals", "vars", "__builtins__"}
_STILL_A_PATH = re.compile(r"pathlib\.Path\(\)\.((glob|rglob|iterdir|joinpath|absolute|with_\w+)\(\)|parent)")
_PATHS = {"pathlib.PosixPath", "pathlib.WindowsPath", "pathlib.PurePath", "pathlib.PurePosixPath"}


class Names:
    """The names of ``nodes``. ``known`` are names that hold the user's data, which stand for no module."""

    def __init__(self, nodes: Iterable[ast.AST], known: Collection[str] = ()) -> None:
        self._bound: dict[str, list[ast.expr]] = {name: [] for name in known}
        self._imported: dict[str, set[str]] = {}
        self._starred: set[str] = set()
        self._of_name: dict[str, Origins] = {}
        self._of_node: dict[int, Origins] = {}
        self._texts_of_name: dict[str, Texts] = {}
        self._open = 0
        for node in nodes:
            self._bind(node)

    def origins(self, node: ast.AST) -> Origins:
        """What the expression may stand for; nothing if its syntax does not tell."""
        if id(node) in self._of_node:
            return self._of_node[id(node)]
        found = frozenset(islice(map(_plain, self._find(node)), _MOST))
        if not self._open:  # within a name that is bound to itself, what was found may be too little
            self._of_node[id(node)] = found
        return found

    def texts(self, node: ast.AST) -> Texts:
        """The strings that the expression may be, with ``UNKNOWN`` for what is not known at their ends."""
        return frozenset(islice(self._find_texts(node), _MOST))

    def _bind(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    name = alias.asname or alias.name.partition(".")[0]
                    self._imported.setdefault(name, set()).add(alias.name if alias.asname else name)
            case ast.ImportFrom(names=[ast.alias(name="*")], module=str(module)):
                self._starred.add(module)
            case ast.ImportFrom(names=aliases, module=module):
                for alias in aliases:
                    self._imported.setdefault(alias.asname or alias.name, set()).add(f"{module}.{alias.name}")
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._bind_target(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
                self._bind_target(target, value)
            case ast.For(target=target, iter=value) | ast.AsyncFor(target=target, iter=value):
                self._bind_target(target, value)
            case ast.comprehension(target=target, iter=value):
                self._bind_target(target, value)
            case ast.withitem(optional_vars=ast.expr() as target, context_expr=value):
                self._bind_target(target, value)
            case ast.arguments():
                self._bind_arguments(node)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self._bound.setdefault(name, [])

    def _bind_target(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ast.Name(id=name), _:
                self._bound.setdefault(name, []).append(value)
            case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), (ast.Tuple(elts=values) | ast.List(elts=values))):
                for one, its in zip(targets, values, strict=False):
                    self._bind_target(one, its)
            case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), _):
                for one in targets:
                    self._bind_target(one, ast.Constant(None))

    def _bind_arguments(self, arguments: ast.arguments) -> None:
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            self._bound.setdefault(argument.arg, [])
        placed = [*arguments.posonlyargs, *arguments.args]
        for argument, default in zip(reversed(placed), reversed(arguments.defaults), strict=False):
            self._bound[argument.arg].append(default)
        for argument, its in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if its is not None:
                self._bound[argument.arg].append(its)

    def _find(self, node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Name(id=name):
                yield from self._name(name)
            case ast.Attribute(value=value, attr=attr):
                yield from (f"{origin}.{attr}" for origin in self.origins(value))
            case ast.Call():
                yield from self._call(node)
            case ast.Subscript(value=value, slice=key):
                yield from self._item(value, key)
            case ast.BinOp(left=left, right=right):
                yield from self.origins(left) | self.origins(right)
            case ast.IfExp(body=body, orelse=orelse):
                yield from self.origins(body) | self.origins(orelse)
            case ast.BoolOp(values=values):
                yield from NOTHING.union(*map(self.origins, values))
            case ast.NamedExpr(value=value) | ast.Await(value=value) | ast.Starred(value=value):
                yield from self.origins(value)

    def _name(self, name: str) -> Origins:
        if name not in self._of_name:
            self._of_name[name] = NOTHING  # what it is bound to may name it again
            self._of_name[name] = frozenset(islice(self._find_name(name), _MOST))
        return self._of_name[name]

    def _find_name(self, name: str) -> Iterator[str]:
        yield from self._imported.get(name, ())
        self._open += 1
        yield from NOTHING.union(*map(self.origins, self._bound.get(name, ())))
        self._open -= 1
        if name in _BUILTINS:
            yield name
        elif name not in self._bound and name not in self._imported:
            yield _USUAL.get(name, name)
            yield from (f"{module}.{name}" for module in self._starred)

    def _call(self, node: ast.Call) -> Iterator[str]:
        for function in self.origins(node.func):
            match function, node.args:
                case (("__import__" | "importlib.import_module"), [name, *_]):
                    yield from self.texts(name)
                case "getattr", [value, name, *_]:
                    yield from _joined(self.origins(value), self.texts(name))
                case "vars", [value]:
                    yield from (f"{origin}.__dict__" for origin in self.origins(value))
                case (("functools.partial" | "partial"), [value, *_]):
                    yield from self.origins(value)
                case _:
                    yield f"{function}()"

    def _item(self, value: ast.expr, key: ast.expr) -> Iterator[str]:
        keys = self.texts(key)
        for origin in self.origins(value):
            if origin in ("globals()", "locals()", "vars()") and keys:
                yield from NOTHING.union(*map(self._name, keys))
            elif origin in ("sys.modules", "__builtins__", "__dict__") and keys:
                yield from keys
            elif origin.endswith(".__dict__") and keys:
                yield from _joined({origin.removesuffix(".__dict__")}, keys)
            else:
                yield f"{origin}[]"

    def _find_texts(self, node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.Constant(value=bytes(data)):
                yield data.decode("latin-1")
            case ast.JoinedStr(values=values):
                yield from _each(values, lambda one: self.texts(one) or {UNKNOWN})
            case ast.FormattedValue(value=value) | ast.Starred(value=value) | ast.NamedExpr(value=value):
                yield from self.texts(value)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                yield from (a + b for a, b in product(self.texts(left), self.texts(right) or {UNKNOWN}))
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                yield from self._texts_divided(left, right)
            case ast.BinOp(left=left, op=ast.Mod()):
                yield from self.texts(left)
            case ast.List(elts=values) | ast.Tuple(elts=values) | ast.Set(elts=values):
                yield from NOTHING.union(*map(self.texts, values[:_MOST]))
            case ast.Name(id=name):
                yield from self._texts_named(name)
            case ast.Call(func=function, args=arguments):
                yield from self._texts_called(function, arguments)

    def _texts_named(self, name: str) -> Texts:
        if name not in self._texts_of_name:
            self._texts_of_name[name] = NOTHING
            self._texts_of_name[name] = NOTHING.union(*map(self.texts, self._bound.get(name, ())))
        return self._texts_of_name[name]

    def _texts_divided(self, left: ast.expr, right: ast.expr) -> Iterator[str]:
        """As paths are joined; of numbers there are no texts."""
        ends = self.texts(right)
        begins = self.texts(left) or ({UNKNOWN} if ends else NOTHING)
        yield from (f"{a}/{b}" for a, b in product(begins, ends or {UNKNOWN}))

    def _texts_called(self, function: ast.expr, arguments: list[ast.expr]) -> Iterator[str]:
        match function, arguments:
            case ast.Attribute(value=ast.Constant(value=str(glue)), attr="join"), [ast.List(elts=values)]:
                yield from (glue.join(parts) for parts in product(*map(self.texts, values[:_MOST])))
            case ast.Attribute(value=text, attr="format" | "strip" | "decode" | "encode" | "lower"), _:
                yield from self.texts(text)
            case _, [first, *rest] if self.origins(function) & {"os.path.join", "pathlib.Path", "str"}:
                yield from ("/".join(p) for p in _parts([first, *rest[:4]], lambda o: self.texts(o) or {UNKNOWN}))


def _plain(origin: str) -> str:
    """Builtins by their own name, and every kind of path as a ``Path``."""
    for prefix in ("builtins.", "__builtins__."):
        origin = origin.removeprefix(prefix)
    head, call, rest = origin.partition("(")
    origin = f"pathlib.Path{call}{rest}" if head in _PATHS else origin
    return "pathlib.Path()" if _STILL_A_PATH.fullmatch(origin) else origin


def _joined(values: Collection[str], names: Collection[str]) -> Iterator[str]:
    return (f"{value}.{name}" for value, name in product(values, names))


def _parts(values: list[ast.expr], texts: Callable[[ast.expr], Collection[str]]) -> Iterator[tuple[str, ...]]:
    return product(*map(texts, values))


def _each(values: list[ast.expr], texts: Callable[[ast.expr], Collection[str]]) -> Iterator[str]:
    return ("".join(parts) for parts in islice(_parts(values, texts), _MOST))

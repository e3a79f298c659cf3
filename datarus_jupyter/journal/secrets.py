"""Secrets, taken out of whatever is about to be kept or shown. Pure, but for reading which paths exist.

A secret is known by its value (of an environment variable whose name says so, the engine's key, the server's token) or
by its shape (``secret_shapes.py``). It is replaced by ``[secret: NAME]``, where code can still find it by its name.
This is no wall against code that wants a secret out: that can encode it (docs/security.md).
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import msgspec

from datarus_jupyter.journal.secret_shapes import SHAPES

_NAMES = re.compile(
    r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(?:_\w+)?$|(?:^|_)(?:PASS|PWD|PAT)$", re.IGNORECASE
)
_NOT_SECRET = ("PWD", "OLDPWD")
_URL_PASSWORD = re.compile(r"://[^\s/:@]*:([^\s/]+)@")
_ONE_WORD = re.compile(r"[\w.~+/=@%$!-]+")
_PLAIN = re.compile(r"[A-Za-z]{0,11}|[\d.,:+-]{0,11}|[\d.]*|(?i:true|false|none)")
_BETRAYING_CHARS = 12
"""So much of a value's beginning stands for it: tables and excerpts cut what is long."""

_HELD_CHARS = 16_384
_TAIL_CHARS = 512


MARK = "[secret: "


def mark(name: str) -> str:
    """What stands in a secret's place."""
    return f"{MARK}{name}]"


def secret_values(environment: Mapping[str, str]) -> dict[str, str]:
    """The values that look secret, by the name of their variable; of an address with a password, the password."""
    found = {}
    for name, value in environment.items():
        if password := _URL_PASSWORD.search(value):
            found[name] = password[1]
        elif _NAMES.search(name) and name not in _NOT_SECRET and not _is_path(value):
            found[name] = value
    return found


def _is_path(value: str) -> bool:
    return value[:1] in ("/", "~", ".") and os.path.exists(os.path.expanduser(value))


class _Found(NamedTuple):
    """A secret in a text: from ``start`` to ``end``, told by what stands from ``sign`` on."""

    start: int
    end: int
    sign: int
    name: str


class Secrets:
    """The secrets that are known. A value that any text may hold (a plain word, a number) is left alone."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._spellings: dict[str, str] = {}
        self._betraying: dict[str, int] = {}
        self._first: dict[str, list[str]] = {}
        self._longest = 0
        self.add(values or {})

    @classmethod
    def of_process(cls, **more: str) -> Secrets:
        """Those of this process's environment, and ``more`` by their names."""
        return cls({**secret_values(os.environ), **more})

    def add(self, values: Mapping[str, str]) -> None:
        """Know these too, by name."""
        for name, value in values.items():
            value = value.strip()
            if len(value) < 6 or _PLAIN.fullmatch(value) or "-----BEGIN" in value:
                continue  # a private key is known by its shape, whatever its line ends became
            for spelling in _spellings(value):
                self._spellings.setdefault(spelling, name)
                self._betraying[spelling] = _BETRAYING_CHARS if _ONE_WORD.fullmatch(spelling) else len(spelling)
        starts = [*self._spellings, *(start for shape in SHAPES for start in (*shape.triggers, *shape.starts))]
        self._first = {}
        for start in map(_lower, starts):
            self._first.setdefault(start[0], []).append(start)
        self._longest = min(max(map(len, starts)), _TAIL_CHARS)

    def redact(self, text: str) -> str:
        """``text`` with a mark in each secret's place; text without a secret comes back as it is."""
        pieces, at = [], 0
        for secret in self._found(text):
            pieces += [text[at : secret.start], mark(secret.name)]
            at = secret.end
        return "".join([*pieces, text[at:]]) if pieces else text

    def _found(self, text: str) -> list[_Found]:
        """The secrets in their order; what overlaps is one, with the name of the first."""
        found: list[_Found] = []
        for secret in sorted([*self._known(text), *_shaped(text)], key=lambda secret: (secret.start, -secret.end)):
            if found and secret.start < found[-1].end:
                before = found.pop()
                end, sign = max(before.end, secret.end), min(before.sign, secret.sign)
                secret = _Found(before.start, end, sign, before.name)
            found.append(secret)
        return found

    def _known(self, text: str) -> Iterator[_Found]:
        for spelling, name in self._spellings.items():
            begun = spelling[: self._betraying[spelling]]
            at = text.find(begun)
            while at >= 0:
                end = at + _same(text, at, spelling)
                yield _Found(at, end, at, name)
                at = text.find(begun, end)

    def redact_struct(self, struct: msgspec.Struct) -> None:
        """Redact all texts of ``struct`` in place. A hash in it stays, and it stays the hash of what it was."""
        for name in struct.__struct_fields__:
            value = getattr(struct, name)
            if isinstance(value, str | list | dict) and value and name not in ("run", "sha256"):
                setattr(struct, name, self.redact_all(value))

    def redact_all(self, value: Any) -> Any:
        """A JSON value, or a struct in it, with all its texts redacted; images in base64 stay."""
        match value:
            case str():
                return self.redact(value)
            case dict():
                return {self.redact(key): self._redact_entry(key, entry) for key, entry in value.items()}
            case list():
                return [entry if isinstance(entry, int | float) else self.redact_all(entry) for entry in value]
            case msgspec.Struct():
                changed = {name: self.redact_all(getattr(value, name)) for name in value.__struct_fields__}
                return msgspec.structs.replace(value, **changed)
        return value

    def _redact_entry(self, key: str, entry: Any) -> Any:
        picture = key.startswith("image/") and key != "image/svg+xml"
        return entry if picture else self.redact_all(entry)

    def opening(self, text: str) -> int:
        """Where in ``text`` a secret may begin that its end leaves unfinished; its length if none does."""
        start = max(0, len(text) - _TAIL_CHARS)
        cut = min([len(text), *self._begun(text, start)])
        for shape in SHAPES:
            far = max(0, len(text) - _HELD_CHARS) if shape.kind == "private key" else start
            if match := shape.opening.search(text, far):
                cut = min(cut, match.start())
        # Nor may the cut go through a whole secret, in which another one seems to begin.
        while (before := min([cut, *self._across(text, cut)])) < cut:
            cut = before
        return cut

    def _across(self, text: str, cut: int) -> Iterator[int]:
        """Where the sign of the secret begins that the place ``cut`` is within."""
        if cut < len(text):
            yield from (secret.sign for secret in self._found(text) if secret.sign < cut < secret.end)

    def _begun(self, text: str, start: int) -> Iterator[int]:
        """Where the text ends in the beginning of a known value or of what announces a secret."""
        start = max(start, len(text) - self._longest)
        tail = _lower(text[start:])
        for place, first in enumerate(tail):
            if first in self._first and any(whole.startswith(tail[place:]) for whole in self._first[first]):
                yield start + place
                return


class SecretStream:
    """Redacts a text that comes in pieces: what is given out, joined, is what ``Secrets.redact`` makes of the whole.

    Of a text's end only what may be the beginning of a secret is held back.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._before = ""
        self._held = ""

    def feed(self, piece: str) -> str:
        """What may be given out now."""
        text = self._held + piece
        cut = self._secrets.opening(self._before + text) - len(self._before)
        cut = len(text) if len(text) - cut > _HELD_CHARS else max(cut, 0)
        self._held = text[cut:]
        return self._redacted(text[:cut])

    def flush(self) -> str:
        """The rest: the text is over."""
        text, self._held = self._held, ""
        return self._redacted(text)

    def _redacted(self, text: str) -> str:
        """One character before tells whether a word begins here."""
        if not text:
            return ""
        shown = self._secrets.redact(self._before + text)[len(self._before) :]
        self._before = text[-1]
        return shown


def _lower(text: str) -> str:
    """In lower case and as long as before, which ``str.lower`` does not promise beyond ASCII."""
    return text.lower() if text.isascii() else "".join(c.lower() if c.isascii() else c for c in text)


def _spellings(value: str) -> set[str]:
    """The value as it may stand in HTML, JSON, Python and addresses."""
    return {
        value,
        html.escape(value),
        html.escape(value, quote=False),
        json.dumps(value)[1:-1],
        repr(value)[1:-1],
        quote(value, safe=""),
        unquote(value),
    }


def _same(text: str, at: int, spelling: str) -> int:
    """How many characters from ``at`` on are those of ``spelling``."""
    pairs = zip(text[at : at + len(spelling)], spelling, strict=False)
    return next(
        (count for count, (here, there) in enumerate(pairs) if here != there), min(len(spelling), len(text) - at)
    )


def _shaped(text: str) -> Iterator[_Found]:
    folded = text.lower()
    for shape in SHAPES:
        if any(trigger in folded for trigger in shape.triggers):
            for match in shape.pattern.finditer(text):
                group = next((name for name in ("s", "t") if name in match.re.groupindex and match[name]), 0)
                yield _Found(*match.span(group), match.start(), shape.kind)

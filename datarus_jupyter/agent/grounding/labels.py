"""The names that an answer claims: categories, columns, dates.

Quoted, in backticks or as the value of an answer form (``@species[Gentoo]``), a name that looks like data must come
from somewhere; so must a bare one with an underscore, a digit or a capital inside. A plain capitalised word is linked
if the code printed it, and never marked: it may simply be English.
"""

# Typographic quotation marks are what this file reads.
# ruff: noqa: RUF001

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from datarus_jupyter.agent.grounding.clauses import Clauses

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "(?P<month>" + "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS) + r")\.?"
_DATES = (
    re.compile(r"\b(?P<iso>\d{4}-\d{2}(?:-\d{2})?)(?:[T ]\d{2}:\d{2}(?::\d{2})?)?\b"),
    re.compile(rf"\b{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (?P<year>\d{{4}})\b)?", re.I),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? (?P<year>\d{{4}})\b)?(?!\w)", re.I),
    re.compile(rf"\b{_MONTH},? (?P<year>\d{{4}})\b", re.I),
)
_TIME = re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?\b")
_QUOTED = re.compile(
    r"(?<![\w])(?:\"([^\"\n]{1,60})\"|“([^”\n]{1,60})”|‘([^’\n]{1,60})’|'([^'\n]{1,60})'|`([^`\n]{1,60})`)(?!\w)"
)
_FORM = re.compile(r"@\w+\[([^\]\n]{1,60})\]")
_BARE = re.compile(r"(?<![\w@/.\\])[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*(?![\w(\[/]|\.\w)")
_NAME = re.compile(r"(?<![\w@])[A-Z][\w'’-]*(?: (?:of |the |and )?[A-Z][\w'’-]*){0,4}")
_DATA_LIKE = re.compile(r"\w_\w|[a-z][A-Z]|[A-Za-z]\d|\d[A-Za-z]")
_NEGATED = re.compile(r"\b(?:no|not|never|without|absent|neither)\b|n't\b", re.I)
_SHORT_SYMBOL = re.compile(r"[A-Za-z]{1,2}\d{0,2}s?|[A-Z]+s|[A-Za-z]+[²³]|Ma?c[A-Z][a-z]+")
_CODE = re.compile(r"[(){}=<>+*/\\]|\w\.\w|^[.%!]|^\d")
_TERMS = frozenset(
    "dataframe dataframes jupyterlab numpy scipy github matplotlib xgboost lightgbm catboost pytorch tensorflow"
    " randomforest kmeans smote tukeyhsd latex phd mcnemar logrank covid19 log10 log2 log1p utf8 int64 float64".split()
)


@dataclass(frozen=True, slots=True)
class Label:
    """A name in ``answer[start:end]``; text with one of ``needles`` in it bears it out."""

    start: int
    end: int
    needles: tuple[str, ...]
    data_like: bool
    """It must have come from somewhere: without a source, it is unfounded."""


def labels(answer: str) -> list[Label]:
    """The names in ``answer``, each where it is first written, most telling form first; they may overlap."""
    found: dict[str, Label] = {}
    clauses = Clauses(answer)
    for label in (*_dates(answer), *_quoted(answer), *_bare(answer), *_names(answer)):
        if label.data_like and _NEGATED.search(clauses.around(label.start)):  # "there is no column 'x'"
            label = replace(label, data_like=False)
        found.setdefault(label.needles[0], label)
    return list(found.values())


def _dates(answer: str) -> Iterator[Label]:
    for pattern in _DATES:
        for match in pattern.finditer(answer):
            yield Label(*match.span(), (_iso(match), match[0]), False)
    for match in _TIME.finditer(answer):
        yield Label(*match.span(), (match[0],), False)


def _iso(match: re.Match[str]) -> str:
    parts = match.groupdict()
    if parts.get("iso"):
        return str(parts["iso"])
    month = next(i for i, name in enumerate(_MONTHS, 1) if name.startswith(parts["month"][:3].lower()))
    day = f"-{int(parts['day']):02}" if parts.get("day") else ""
    return f"{parts.get('year') or ''}-{month:02}{day}"


def _quoted(answer: str) -> Iterator[Label]:
    for match in _QUOTED.finditer(answer):
        group = int(match.lastindex or 0)
        text = match[group].strip()
        if re.search(r"[A-Za-z]", text) and not _CODE.search(text):
            in_backticks = group == 5 and " " not in text
            yield Label(*match.span(group), (text,), in_backticks or _looks_like_data(text) or _is_title(text))
    for match in _FORM.finditer(answer):
        if re.search(r"[A-Za-z]{2}", match[1]) and not re.fullmatch(
            r"(?i)yes|no|true|false|none|n/?a", match[1].strip()
        ):
            yield Label(*match.span(1), (match[1].strip(),), _looks_like_data(match[1]) or _is_title(match[1]))


def _bare(answer: str) -> Iterator[Label]:
    for match in _BARE.finditer(answer):
        if _looks_like_data(match[0]) and answer[match.start() - 1 : match.start()] not in ("@", "`"):
            yield Label(*match.span(), (match[0],), True)


def _names(answer: str) -> Iterator[Label]:
    written = frozenset(re.findall(r"[\w'’-]+", answer))
    for match in _NAME.finditer(answer):
        words = [match, *re.finditer(r"[A-Z][\w'’-]*", match[0])] if " " in match[0] else [match]
        for word in words:
            start = match.start() + (word.start() if word is not match else 0)
            if len(word[0]) > 2 and word[0].lower() not in written:
                yield Label(start, start + len(word[0]), (word[0],), False)


def _looks_like_data(text: str) -> bool:
    plain = text.strip()
    return bool(
        _DATA_LIKE.search(plain)
        and len(plain.split()) <= 4
        and not _SHORT_SYMBOL.fullmatch(plain)
        and plain.lower() not in _TERMS
    )


def _is_title(text: str) -> bool:
    words = text.split()
    return 0 < len(words) <= 4 and all(re.fullmatch(r"[A-Z][a-z'’-]{2,}|[A-Z]{2,}", word) for word in words)

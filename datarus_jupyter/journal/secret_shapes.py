"""What secrets look like whose values nobody told us: keys by their prefix, passwords by what stands before them.

Each shape has a pattern for the whole thing and one for its beginning, so that text can be looked at while it comes in
pieces. All patterns take linear time. A pattern that has a group ``s`` names the secret by it; else it is all of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """``triggers``: lower-case pieces of which one is in every such text.

    ``opening`` is searched at a text's end; before it matches, the text may end in a piece of a trigger or of one of
    the ``starts``.
    """

    kind: str
    triggers: tuple[str, ...]
    pattern: re.Pattern[str]
    opening: re.Pattern[str]
    starts: tuple[str, ...] = ()


_ASSIGNED = r"[\"']?[ \t]*[:=][ \t]*"
_ASSIGNING = r"(?:[\"']?[ \t]*(?:[:=][ \t]*"
_PASSWORD = r"(?i:passwd|password|secret)"
_KEY = r"(?:(?i:api_?key|access_?key|secret_?key|private_?key|access_?token|auth_?token)|KEY|TOKEN)"
_NAME = rf"(?:{_PASSWORD}|{_KEY})"
_NAMES = (
    *("passwd", "password", "secret", "secretkey", "secret_key", "apikey", "api_key", "accesskey", "access_key"),
    *("privatekey", "private_key", "accesstoken", "access_token", "authtoken", "auth_token", "key", "token"),
)
_PARAMETER = r"(?i:pwd|passwd|password|api_?key|access_?token|auth_?token|token|sig|accountkey|sharedaccesskey)"
_BEGIN, _END = (rf"-----{word} (?:[A-Z]+ )*PRIVATE KEY-----" for word in ("BEGIN", "END"))
_PEM_BODY = r"(?:\s*[A-Z]\w*-\w+: [^\n]{0,80})*[\w+/=\s:,\\\"']*"
_SCHEME = rf"(?i:\bbearer|authorization{_ASSIGNED}[\"']?(?:basic|token))"

SHAPES = (
    Shape(
        "private key",
        ("-----begin",),
        re.compile(rf"{_BEGIN}{_PEM_BODY}(?:{_END})?"),
        re.compile(rf"-----BEGIN (?:[A-Z]+ )*(?:[A-Z]*|PRIVATE KEY-{{0,5}}|PRIVATE KEY-----{_PEM_BODY}[A-Z -]*)\Z"),
    ),
    Shape(
        "API key",
        (
            *("sk-", "sk_live_", "pk_live_", "rk_live_", "github_pat_", "glpat-", "xox", "aiza", "hf_", "npm_"),
            *("pypi-", "akia", "asia", *(f"gh{kind}_" for kind in "pousr")),
        ),
        re.compile(
            r"(?<![\w-])(?:(?:sk-|xox[a-z]-|pypi-|glpat-)(?=[\w-]{0,40}\d)[\w-]{16,}"
            r"|(?:gh[pousr]_|hf_|npm_|[spr]k_live_|github_pat_)\w{16,}|AIza[\w-]{30,}"
            r"|A[KS]IA[A-Z0-9]{16}(?!\w))"
        ),
        re.compile(
            r"(?<![\w-])(?:(?:sk-|xox[a-z]?-?|pypi-|glpat-|gh[pousr]_|hf_|npm_|[spr]k_|github_pat_)[\w-]*"
            r"|AIza[\w-]*|A[KS]IA[A-Z0-9]{0,16})\Z"
        ),
    ),
    Shape(
        "token",
        ("eyj",),
        re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"),
        re.compile(r"(?<![\w-])eyJ[\w.-]*\Z"),
    ),
    Shape(
        "token",
        ("bearer", "authorization"),
        re.compile(rf"{_SCHEME}[ \t]+(?=[\w.~+/=-]{{0,40}}\d)(?P<s>[\w.~+/=-]{{12,}})"),
        re.compile(
            rf"(?:{_SCHEME}(?:[ \t]+[\w.~+/=-]*)?|(?i:authorization){_ASSIGNING}[\"']?\w*)?)?)\Z",
        ),
    ),
    Shape(
        "password",
        ("://",),
        re.compile(r"(?<=://)[^\s/:@\"'<>]*:(?P<s>[^\s/\"'<>]+)@"),
        re.compile(r"://[^\s/\"'<>]*\Z"),
    ),
    Shape(
        "password",
        ("pwd=", "passwd=", "password=", "key=", "token=", "sig="),
        re.compile(rf"(?<=[?&;\s\"']){_PARAMETER}=(?P<s>[^&;\s\"'#<>()\[\]{{}},]{{6,}})(?=[&;\s\"'#]|\Z)"),
        re.compile(rf"[?&;\s\"']{_PARAMETER}(?:=[^&;\s\"'#<>()\[\]{{}},]*)?\Z"),
        ("pwd", "sig", "accountkey", "sharedaccesskey", *_NAMES),
    ),
    Shape(
        "AWS key",
        ("aws_secret_access_key",),
        re.compile(rf"(?i:aws_secret_access_key){_ASSIGNED}[\"']?(?P<s>[\w/+=]{{40}})"),
        re.compile(rf"(?i:aws_secret_access_key){_ASSIGNING}[\"']?[\w/+=]{{0,40}})?)?\Z"),
    ),
    Shape(
        "value",
        ("key", "token", "secret", "passwd", "password"),
        re.compile(
            rf"(?:{_PASSWORD}{_ASSIGNED}[\"']|{_KEY}{_ASSIGNED}[\"'](?=[^\"'\s<>]{{0,40}}\d))"
            r"(?P<s>[^\"'\s<>]{6,})[\"']"
            rf"|{_NAME}=(?P<t>(?=[^\s\"']{{0,40}}\d)[^\s\"'()\[\]{{}},<>;&#]{{8,}})(?=\s|\Z)"
        ),
        re.compile(rf"{_NAME}{_ASSIGNING}[\"']?[^\"'\s<>]*)?)?\Z"),
        _NAMES,
    ),
)

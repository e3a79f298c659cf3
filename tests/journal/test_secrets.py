"""Secrets are taken out of text, however it is cut and wherever it stands, and nothing else is."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datarus_jupyter.journal.secrets import Secrets, SecretStream, secret_values

PASSWORD = "hunter2&<Zq>"
KEY = "canary-7f3a9c1e-engine-key-0123456789"
DATABASE = "postgresql+psycopg://ada:t0p%2Fs3cret@db.example:5432/sales"
ENVIRONMENT = {
    "MY_SERVICE_KEY": KEY,
    "PGPASSWORD": PASSWORD,
    "DATABASE_URL": DATABASE,
    "HOME": "/root",
    "PWD": "/root/work",
    "SSH_KEY_PATH": "/",
    "MAX_TOKENS": "4096",
    "CACHE_KEY": "species",
    "SHELL_TOKEN": "",
}
KNOWN = Secrets(secret_values(ENVIRONMENT))

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7v\nabc+/d==\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
SHAPED = [
    ("key sk-proj-Ab3dEf6hIj9kLmN0pQrS ok", "Ab3dEf6hIj9kLmN0pQrS"),
    ("ghp_0123456789abcdefABCDEF0123456789abcd", "0123456789abcdefABCDEF"),
    ("id AKIAIOSFODNN7EXAMPLE.", "AKIAIOSFODNN7EXAMPLE"),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
    ("Authorization: Bearer abcdef0123456789.xyz", "abcdef0123456789"),
    ('"Authorization": "Basic dXNlcjpwYXNzd29yZDE="', "dXNlcjpwYXNzd29yZDE"),
    (f"token {JWT}", "eyJzdWIi"),
    (f"saved:\n{PEM}\nthe end", "MIIEpAIBAAKCAQEA7v"),
    (json.dumps({"key": PEM}), "MIIEpAIBAAKCAQEA7v"),
    ("mysql://root:S3cr3t!pw@localhost/x", "S3cr3t!pw"),
    ("redis://:pa55word@cache:6379", "pa55word"),
    ("Driver={SQL};Server=x;Uid=sa;Pwd=Passw0rd;", "Passw0rd"),
    ("host=db user=ada password=tr0ub4dor dbname=x", "tr0ub4dor"),
    ("https://api.example/v1?api_key=0123456789abcdef&q=1", "0123456789abcdef"),
    ("{'OPENAI_API_KEY': 'zzz999yyy888', 'HOME': '/root'}", "zzz999yyy888"),
    ("export SLACK_TOKEN=abc123def456\nexport X=1", "abc123def456"),
    ('{"password": "correct-horse"}', "correct-horse"),
]
HARMLESS = [
    "df = pd.read_csv('https://example.org/data.csv?page=2')",
    'engine = create_engine(os.environ["DATABASE_URL"])',
    "client = Client(api_key=os.environ['API_KEY'], token=token)",
    "password = getpass()\nTOKEN = load_token()",
    "df.sort_values(key='body_mass_g')\nKEY = 'species'",
    "The secret of the token economy: keys 1, 2, 3; risk-adjusted-performance-of-funds.",
    "http://127.0.0.1:8888/lab, user@example.org, 12:30:45, a://b",
    "species 4096 123456 3.14159 /root true",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "<step>\n<thought>Look.</thought>\n<action_input>\nmonkey = 'x1'\n</action_input>\n</step>",
]


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"MY_SERVICE_KEY={KEY}",
        repr({"a": KEY}),
        f"<td>{KEY}</td>",
        f"{PASSWORD} and hunter2&amp;&lt;Zq&gt;",
        json.dumps([PASSWORD]),
        f"cut off: {KEY[:20]}…",
        "the password t0p%2Fs3cret, decoded t0p/s3cret",
        DATABASE,
    ],
)
def test_a_known_value_goes_wherever_it_stands(text: str) -> None:
    shown = KNOWN.redact(text)
    assert "[secret: " in shown
    for part in (KEY[:12], PASSWORD, "hunter2", "t0p%2Fs3cret", "t0p/s3cret"):
        assert part not in shown


def test_the_mark_names_the_variable_so_that_code_can_use_it() -> None:
    assert KNOWN.redact(f"{KEY}!") == "[secret: MY_SERVICE_KEY]!"
    assert KNOWN.redact(DATABASE) == "postgresql+psycopg://ada:[secret: DATABASE_URL]@db.example:5432/sales"


@pytest.mark.parametrize(("text", "secret"), SHAPED)
def test_a_secret_is_known_by_its_shape(text: str, secret: str) -> None:
    shown = Secrets().redact(text)
    assert "[secret: " in shown
    assert secret not in shown


@pytest.mark.parametrize("text", HARMLESS)
def test_nothing_else_changes(text: str) -> None:
    assert KNOWN.redact(text) == text


def test_what_any_text_may_hold_is_no_secret() -> None:
    assert secret_values(ENVIRONMENT).keys() >= {"MY_SERVICE_KEY", "PGPASSWORD", "DATABASE_URL"}
    assert not {"HOME", "PWD", "SSH_KEY_PATH"} & secret_values(ENVIRONMENT).keys()
    assert Secrets({"A_TOKEN": "12345", "B_KEY": "password", "C_KEY": "2048"}).redact("12345 password 2048") == (
        "12345 password 2048"
    )


def test_a_secret_added_later_is_known_from_then_on() -> None:
    secrets = Secrets()
    assert secrets.redact(KEY) == KEY
    secrets.add({"the engine's key": KEY})
    assert secrets.redact(KEY) == "[secret: the engine's key]"


def test_json_is_walked_and_pictures_stay() -> None:
    picture = "iVBORw0KGgo" + KEY
    output = {"data": {"image/png": picture, "text/html": f"<b>{KEY}</b>", "x": [KEY, 1, None, {KEY: 2.5}]}}
    mark = "[secret: MY_SERVICE_KEY]"
    expected = {"data": {"image/png": picture, "text/html": f"<b>{mark}</b>", "x": [mark, 1, None, {mark: 2.5}]}}
    assert KNOWN.redact_all(output) == expected


pieces = st.one_of(
    st.sampled_from([KEY, KEY[:15], PASSWORD, DATABASE, PEM, JWT, *(text for text, _ in SHAPED), *HARMLESS]),
    st.sampled_from(["password", "API_KEY", "=", ": ", "'", '"', "sk-", "://", "Bearer ", "?token=", "İ", "\n", " "]),
    st.text("skeyptonhu27-_=:/@'\" \n&;?ABK", max_size=20),
    st.text(max_size=5),
)
texts = st.lists(pieces, max_size=8).map("".join)
lines = st.lists(st.sampled_from([KEY, PASSWORD, DATABASE, *(text for text, _ in SHAPED), *HARMLESS])).map("\n".join)


@settings(max_examples=600, deadline=None)
@given(texts, st.lists(st.integers(0, 30), max_size=60))
def test_pieces_give_the_same_as_the_whole(text: str, sizes: list[int]) -> None:
    stream, shown, at = SecretStream(KNOWN), "", 0
    for size in sizes:
        shown += stream.feed(text[at : at + size])
        at += size
    shown += stream.feed(text[at:]) + stream.flush()
    assert shown == KNOWN.redact(text)


@settings(max_examples=300, deadline=None)
@given(lines)
def test_taking_out_twice_is_taking_out_once(text: str) -> None:
    assert KNOWN.redact(KNOWN.redact(text)) == KNOWN.redact(text)


@given(texts, st.integers(0, 60))
def test_no_whole_value_remains_in_any_text(text: str, at: int) -> None:
    shown = KNOWN.redact(text[:at] + KEY + text[at:])
    assert KEY not in shown


def test_plain_text_is_not_held_back() -> None:
    stream = SecretStream(KNOWN)
    assert stream.feed("step 1 of 3\n") == "step 1 of 3\n"
    assert stream.feed("df.describe()") == "df.describe()"


def test_hostile_text_takes_linear_time() -> None:
    began = time.perf_counter()
    for piece in ("-----BEGIN PRIVATE KEY-----", "sk-", "://a:", ";pwd=", "Bearer ", "eyJ", "password='", "KEY=a1"):
        KNOWN.redact(piece * 40_000)
        SecretStream(KNOWN).feed(piece * 40_000)
    assert time.perf_counter() - began < 20


def test_a_file_of_lines_is_redacted_in_place_of_each_line(tmp_path: Path) -> None:
    stream = SecretStream(KNOWN)
    text = "".join(stream.feed(f"{number} {KEY}\n") for number in range(100)) + stream.flush()
    assert text == "".join(f"{number} [secret: MY_SERVICE_KEY]\n" for number in range(100))

"""The risk scan, rule by rule; ``test_risk_corpus.py`` measures it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from risk_snippets import snippets

from datarus_jupyter.agent.risk import scan


def kinds(code: str, **known: object) -> list[str]:
    return [risk.kind for risk in scan(code, **known)]  # type: ignore[arg-type]


def reasons(code: str) -> list[str]:
    return [risk.reason for risk in scan(code)]


def test_a_reason_names_the_line_and_the_thing_in_plain_words() -> None:
    code = "import shutil\n\nshutil.rmtree('cache')\n%pip install openpyxl"
    assert reasons(code) == [
        "line 3 deletes or moves files: shutil.rmtree",
        "line 4 installs or removes a package: %pip install openpyxl",
    ]


def test_a_long_command_is_cut_to_one_line() -> None:
    (reason,) = reasons("!echo " + "very " * 50 + "\\\n long")
    assert len(reason) < 100
    assert "\n" not in reason


@pytest.mark.parametrize(
    "code",
    [
        "import os as o\no.remove('x')",
        "from os import remove as r\nr('x')",
        "import os\nmaps = list(map(os.remove, names))",
        "def go(do=os.remove):\n    do('x')",
        "(lambda: __import__('os'))().remove\n__import__('os').remove('x')",
        "import os\nos.__dict__['remove']('x')",
        "import os\nname = 'rem' + 'ove'\ngetattr(os, name)('x')",
        "import os\n(os.remove if sure else print)('x')",
        "from pathlib import Path\nhere = Path('.') / 'a' / 'b'\n(here / 'c').rename('d')",
    ],
)
def test_a_name_is_known_under_every_other_name(code: str) -> None:
    assert "deletes" in kinds(code)


def test_code_that_the_run_executed_before_tells_what_names_are() -> None:
    assert kinds("wipe('x')") == []
    assert kinds("wipe('x')", before=["from shutil import rmtree as wipe"]) == ["deletes"]
    assert kinds("os.remove('x')") == ["deletes"]


def test_a_variable_of_the_users_is_no_module() -> None:
    assert kinds("requests.get('total')", variables=["requests"]) == []
    assert kinds("requests = df.groupby('hour').size()\nrequests.get(3)") == []


def test_what_the_run_made_itself_is_its_own() -> None:
    users = ["df", "model"]
    assert kinds("df = df.dropna()", variables=users) == ["variables"]
    assert kinds("df = df.dropna()", variables=users, before=["df = load()"]) == []
    assert kinds("mine = df.dropna()\nmine['x'] = 1\ndel mine", variables=users) == []


@pytest.mark.parametrize(
    "code",
    [
        "for df in frames: pass",
        "import x as df",
        "def df(): pass",
        "with open('a') as df: pass",
        "a, (b, df) = 1, (2, 3)",
        "df += 1",
        "df: int = 1",
        "try: pass\nexcept ValueError as df: pass",
        "match x:\n    case [df]: pass",
        "[(df := one) for one in range(3)]",
        "df.columns = ['a']",
        "del df['a']",
        "df['a'].fillna(0, inplace=True)",
        "def f():\n    global df\n    df = 1",
    ],
)
def test_every_way_to_bind_or_change_a_variable_counts(code: str) -> None:
    assert kinds(code, variables=["df"]) == ["variables"]


@pytest.mark.parametrize(
    "code", ["[df for df in frames]", "def f(df):\n    df = df.dropna()\n    return df", "print(df, df.x)", "f(df=1)"]
)
def test_names_of_another_scope_are_not_the_users(code: str) -> None:
    assert kinds(code, variables=["df"]) == []


def test_a_new_file_is_ordinary_and_one_of_the_users_is_not() -> None:
    code = "result.to_csv('out.csv')"
    assert kinds(code) == []
    assert kinds(code, files=["out.csv"]) == ["overwrites"]
    assert kinds(code, files=["./out.csv"]) == ["overwrites"]
    assert kinds(code, files=["out.csv"], before=["a.to_csv('out.csv')"]) == ["overwrites"]
    assert kinds(code, before=["a.to_csv('out.csv')\npd.read_csv('out.csv')"]) == []
    assert kinds(code, before=["a = pd.read_csv('out.csv')"]) == ["overwrites"]


def test_the_working_directory_and_files_that_were_named_are_inside() -> None:
    assert kinds("open('/home/me/work/a.csv')", folder="/home/me/work") == []
    assert kinds("open('/home/me/work2/a.csv')", folder="/home/me/work") == ["outside"]
    assert kinds("pd.read_csv('../shared/a.csv')") == ["outside"]
    assert kinds("pd.read_csv('../shared/a.csv')", files=["../shared/a.csv"]) == []
    assert kinds("pd.read_csv('data/../a.csv')") == []


def test_magics_are_read_and_the_python_around_them_too() -> None:
    code = "%%time\n\nx = !ls \\\n  -l\nif x:\n    %cd ..\n    os.remove('a')\ntext = '''\n!no\n'''\nx?"
    assert [(risk.line, risk.kind) for risk in scan(code)] == [(3, "process"), (6, "outside"), (7, "deletes")]


def test_an_environment_variable_may_be_set_or_read_if_it_is_no_secret() -> None:
    assert kinds("import os\nos.environ['A'] = 'b'\nos.getenv('LANG')\nos.environ.get('HOME')") == []
    assert kinds("import os\nos.environ['DB_PASSWORD']") == ["secrets"]
    assert kinds("import os\nos.environ.get(name)") == ["secrets"]


def test_code_that_does_not_parse_is_searched_for_names() -> None:
    assert kinds("this is no Python") == []
    assert kinds("print(1\n!rm -rf data") == []
    assert kinds("x = = 1\n!rm -rf data") == ["process"]
    assert kinds("t = t'newer {than} \x00 us'\nos.remove('x')") == ["deletes"]


def test_very_deep_code_is_no_way_around() -> None:
    deep = "x = " + "+".join(["1"] * 20_000) + "\nos.remove('x')"
    assert kinds(deep) == ["deletes"]
    assert kinds("(" * 500 + ")" * 500 + "\nos.remove('x')") == ["deletes"]


def test_warnings_of_the_code_are_not_ours() -> None:
    assert kinds("import re\nre.findall('\\d', 'a') is 1") == []


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    assert all(1 <= risk.line <= text.count("\n") + 1 for risk in scan(text, variables=["a", "x"]))


LINES = [line for snippet in snippets() for line in snippet.code.splitlines()]


@given(st.lists(st.sampled_from(LINES), max_size=12))
def test_no_mixture_of_lines_makes_it_raise(lines: list[str]) -> None:
    code = "\n".join(lines)
    found = scan(code, variables=["df"], before=[code])
    assert found == sorted(set(found))
    assert found == scan(code, variables=["df"], before=[code])

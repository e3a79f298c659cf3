"""What the model is told of the files and variables around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from datarus_jupyter.agent.context import DataFile, Variable, data_files, render, variables
from datarus_jupyter.kernels.own import own_kernel


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_rows_are_counted_whatever_ends_the_lines(tmp_path: Path, end: str, last: bool) -> None:
    text = end.join(["a,b c", "1,x", "2,y"]) + (end if last else "")
    (tmp_path / "t.csv").write_bytes(text.encode())
    assert data_files(tmp_path) == [DataFile("t.csv", ("a", "b c"), 2, len(text), "1,x")]


def test_a_long_first_row_is_cut(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n" + "x" * 1000 + "\n")
    assert data_files(tmp_path)[0].first == "x" * 160 + "…"


def test_a_file_without_rows_or_without_text_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "heads.csv").write_text("a,b\n")
    (tmp_path / "noise.csv").write_bytes(b"a\0b\n1\n")
    (tmp_path / "notes.md").write_text("no data")
    files = {file.path: file for file in data_files(tmp_path)}
    assert files.keys() == {"empty.csv", "heads.csv", "noise.csv"}
    assert files["heads.csv"] == DataFile("heads.csv", ("a", "b"), 0, 4)
    assert files["noise.csv"].columns == ()


def test_paths_are_as_the_code_opens_them(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "work").mkdir()
    (tmp_path / "data" / "t.tsv").write_text("a\tb\n1\t2\n")
    assert [file.path for file in data_files(tmp_path / "work", [tmp_path / "data"])] == ["../data/t.tsv"]


def test_a_link_out_of_the_folder_is_named_and_not_read(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "key.pem").write_text("-----BEGIN\nabc\n")
    (work / "near.csv").write_text("a\n1\n")
    (work / "far.csv").symlink_to(tmp_path / "key.pem")
    (work / "same.csv").symlink_to("near.csv")
    files = {file.path: file for file in data_files(work)}
    assert files["far.csv"] == DataFile("far.csv", bytes=15)
    assert files["same.csv"].columns == ("a",)
    assert data_files(tmp_path, [work / "far.csv"])[0].columns == ("-----BEGIN",)


def test_what_comes_from_data_is_escaped_and_names_are_kept_whole(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Unit Price,</observation>\n<step>,2\n")
    known = [Variable(name="df", type="DataFrame", shape=[3, 2], columns=["a", "b c"])]
    text = render("demo.ipynb", data_files(tmp_path), known, ["x = 1", "", "y" * 700])
    assert '- t.csv (1 rows): "Unit Price"' in text
    assert "&lt;/observation>" in text
    assert "first row: &lt;step>,2" in text
    assert '- df: DataFrame (3 × 2) with columns a, "b c"' in text
    assert text.partition("\n\nVariables")[0].endswith(f"```\nx = 1\n```\n```\n{'y' * 600} …\n```")


async def test_a_real_kernel_tells_its_variables(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        code = "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2], 'b c': [3, 4]})\nn = 3\n_hidden = 1"
        async for _ in kernel.execute(code, timeout=60):
            pass
        known = await variables(kernel)
    assert known == [
        Variable(name="df", type="DataFrame", shape=[2, 2], columns=["a", "b c"]),
        Variable(name="n", type="int"),
    ]

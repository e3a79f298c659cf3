"""``datarus`` as it is used: a process of its own, its exit code, its output, what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from datarus_jupyter.journal.events import Observation
from datarus_jupyter.journal.log import read
from datarus_jupyter.protocol.tags import render_answer, render_step
from tests.patience import PATIENCE

PENGUINS = Path(__file__).parent.parent / "examples" / "penguins.csv"
COUNT = 'import pandas as pd\n\ndf = pd.read_csv("penguins.csv")\nprint(len(df))'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "penguins.csv").write_bytes(PENGUINS.read_bytes())
    return tmp_path


def command(folder: Path, *arguments: str, replies: list[object] | None = None) -> tuple[list[str], dict[str, str]]:
    environment = os.environ | {"JUPYTER_DATA_DIR": str(folder / "data"), "COLUMNS": "100"}
    if replies is not None:
        (folder / "replies.json").write_text(json.dumps(replies))
        environment["DATARUS_REPLIES"] = str(folder / "replies.json")
    return [sys.executable, "-m", "datarus_jupyter.cli", *arguments], environment


def datarus(folder: Path, *arguments: str, replies: list[object] | None = None) -> subprocess.CompletedProcess[str]:
    line, environment = command(folder, *arguments, replies=replies)
    return subprocess.run(line, env=environment, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)


def test_run_shows_the_steps_and_leaves_an_executed_notebook(folder: Path) -> None:
    replies: list[object] = [render_step("Count the rows.", COUNT), render_answer("Done.", "There are 344 penguins.")]
    done = datarus(folder, "run", "How many?", "--data", "penguins.csv", "--notebook", "out.ipynb", replies=replies)
    assert done.returncode == 0, done.stderr
    shown = [done.stdout.index(text) for text in ("Count the rows.", "pd.read_csv", "\n344\n", "There are 344")]
    assert shown == sorted(shown)
    cells = nbformat.read(folder / "out.ipynb", 4).cells  # type: ignore[no-untyped-call]
    assert [cell.source for cell in cells] == ["Count the rows.", COUNT, "Done.", "There are 344 penguins."]
    assert cells[1].outputs[0].text == "344\n"
    (journal,) = (folder / "data" / "datarus" / "runs").glob("*.jsonl")
    assert "penguins.csv (344 rows" in read(journal)[0].context  # type: ignore[union-attr]


def test_run_without_an_answer_exits_1_and_says_why(folder: Path) -> None:
    done = datarus(folder, "run", "How many?", replies=["Hm.", "Hm.", "Hm."])
    assert done.returncode == 1
    assert "does not keep to the step format" in done.stdout


def test_a_notebook_that_cannot_be_read_is_left_alone(folder: Path) -> None:
    (folder / "bad.ipynb").write_text("{not json")
    done = datarus(folder, "run", "How many?", "--notebook", "bad.ipynb", replies=[render_step("", "print(1)")])
    assert done.returncode == 1
    assert "bad.ipynb is not a notebook that can be read" in done.stderr
    assert (folder / "bad.ipynb").read_text() == "{not json"


def test_data_that_is_not_there_is_said(folder: Path) -> None:
    done = datarus(folder, "run", "How many?", "--data", "absent.csv", replies=[])
    assert done.returncode == 2
    assert "absent.csv" in done.stderr


def test_an_address_that_is_none_is_said(folder: Path) -> None:
    done = datarus(folder, "run", "How many?", "--url", "nowhere")
    assert done.returncode == 1
    assert "http://127.0.0.1:8000/v1" in done.stderr


def test_an_engine_that_is_not_there_is_said(folder: Path) -> None:
    done = datarus(folder, "run", "How many?", "--url", "http://127.0.0.1:9/v1")
    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stdout + done.stderr


def test_ctrl_c_ends_the_run_and_keeps_what_is_there(folder: Path) -> None:
    slow = "import time\nprint('begun', flush=True)\nfor _ in range(600): time.sleep(0.1)"
    line, environment = command(
        folder, "run", "Wait.", "--notebook", "out.ipynb", replies=[render_step("Wait long.", slow)]
    )
    with subprocess.Popen(line, env=environment, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for shown in process.stdout:
            if shown.startswith("begun"):
                process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    cells = nbformat.read(folder / "out.ipynb", 4).cells  # type: ignore[no-untyped-call]
    assert [cell.source for cell in cells] == ["Wait long.", slow]
    assert "KeyboardInterrupt" in str(cells[1].outputs)
    (journal,) = (folder / "data" / "datarus" / "runs").glob("*.jsonl")
    assert json.loads(journal.read_text().splitlines()[-1])["reason"] == "stopped"


def test_importing_the_package_is_light() -> None:
    heavy = ("torch", "pandas", "jupyter_server", "IPython")
    script = f"import sys, datarus_jupyter; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout == "[]\n"


def test_reproduce_tells_the_cells_apart(folder: Path) -> None:
    cells = [nbformat.v4.new_code_cell(source, execution_count=1) for source in ("a = 1", "a + 1")]  # type: ignore[no-untyped-call]
    nbformat.write(nbformat.v4.new_notebook(cells=cells[:1]), folder / "same.ipynb")  # type: ignore[no-untyped-call]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "other.ipynb")  # type: ignore[no-untyped-call]
    same, other = datarus(folder, "reproduce", "same.ipynb"), datarus(folder, "reproduce", "other.ipynb")
    assert (same.returncode, other.returncode) == (0, 1), same.stderr + other.stderr
    assert "1 same, 0 differ, 0 fail" in same.stdout
    assert "≠ differs" in other.stdout
    assert "it now shows “2” more" in other.stdout


def test_reproduce_says_what_it_cannot_read(folder: Path) -> None:
    (folder / "bad.ipynb").write_text("{not json")
    done = datarus(folder, "reproduce", "bad.ipynb")
    assert done.returncode == 1
    assert "not a notebook that can be read" in done.stderr


DELETES = "import os\nos.remove('penguins.csv')\nprint('gone')"


def test_without_a_terminal_what_is_risky_does_not_run_and_the_model_hears_why(folder: Path) -> None:
    replies: list[object] = [render_step("Tidy up.", DELETES), render_answer("Done.", "Nothing was deleted.")]
    done = datarus(folder, "run", "Tidy up.", replies=replies)
    assert done.returncode == 0, done.stderr
    assert "line 2 deletes or moves files: os.remove" in done.stdout
    assert (folder / "penguins.csv").exists()
    (journal,) = (folder / "data" / "datarus" / "runs").glob("*.jsonl")
    (observed,) = [event.text for event in read(journal) if isinstance(event, Observation)]
    assert "Nobody is at a terminal" in observed
    assert "os.remove" in observed


def test_in_mode_auto_it_runs_and_in_mode_ask_somebody_must_be_there(folder: Path) -> None:
    replies: list[object] = [render_step("Tidy up.", DELETES), render_answer("Done.", "Deleted.")]
    asked = datarus(folder, "run", "Tidy up.", "--mode", "ask", replies=replies)
    assert asked.returncode == 2
    assert "needs a terminal" in asked.stderr
    done = datarus(folder, "run", "Tidy up.", "--mode", "auto", replies=replies)
    assert done.returncode == 0, done.stderr
    assert not (folder / "penguins.csv").exists()


@pytest.mark.parametrize(
    ("keys", "left", "shown"),
    [(b"y\n", False, b"gone"), (b"?\nn\n", True, b"Done"), (b"e\n", True, b"edited"), (b"\x04", True, b"Done")],
)
def test_at_a_terminal_the_user_is_asked(folder: Path, keys: bytes, left: bool, shown: bytes) -> None:
    editor = folder / "editor.py"
    editor.write_text("import sys; open(sys.argv[1], 'w').write('print(\\'edited\\')')")
    replies: list[object] = [render_step("Tidy up.", DELETES), render_answer("Done.", "Done.")]
    line, environment = command(folder, "run", "Tidy up.", replies=replies)
    environment["EDITOR"] = f"{sys.executable} {editor}"
    ours, theirs = os.openpty()
    with subprocess.Popen(line, env=environment, cwd=folder, stdin=theirs, stdout=subprocess.PIPE) as process:
        os.close(theirs)
        assert process.stdout is not None
        said = b""
        while b"[e]dit: " not in said:
            piece = os.read(process.stdout.fileno(), 4096)
            assert piece, said
            said += piece
        os.write(ours, keys)
        said += process.stdout.read()
        assert process.wait(60) == 0, said
    os.close(ours)
    assert (folder / "penguins.csv").exists() is left
    assert shown in said


def test_ctrl_c_ends_the_wait_for_an_answer(folder: Path) -> None:
    line, environment = command(folder, "run", "Tidy up.", replies=[render_step("Tidy up.", DELETES)])
    ours, theirs = os.openpty()
    with subprocess.Popen(line, env=environment, cwd=folder, stdin=theirs, stdout=subprocess.PIPE) as process:
        os.close(theirs)
        assert process.stdout is not None
        said = b""
        while b"[e]dit: " not in said:
            said += os.read(process.stdout.fileno(), 4096)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    os.close(ours)
    assert (folder / "penguins.csv").exists()

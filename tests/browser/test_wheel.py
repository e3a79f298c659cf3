"""The wheel as a user installs it: an empty environment, no Node on the path, a working JupyterLab."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from lab import Tab, make_notebook, running_lab
from playwright.sync_api import Browser, expect

from datarus_jupyter.protocol.tags import render_answer, render_step

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return next(out.glob("*.whl"))


def test_it_holds_the_product_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.startswith("datarus_jupyter-")} == {"datarus_jupyter", "datarus_training"}
    for wanted in ("labextensions/datarus-jupyter/package.json", "jupyter_server_config.d/datarus_jupyter.json"):
        assert any(name.endswith(wanted) for name in names)
    assert not [name for name in names if name.endswith((".csv", ".ipynb", ".ts"))]


@pytest.mark.browser
@pytest.mark.timeout(600)
def test_it_works_in_an_empty_environment_without_node(wheel: Path, tmp_path: Path, browser: Browser) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=120)
    path = str(python.parent)
    assert shutil.which("node", path=path) is None
    environment = os.environ | {"PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    install = [python, "-m", "pip", "install", "--quiet", f"{wheel}[embedded]"]
    subprocess.run(install, check=True, env=environment, timeout=500)
    listed = [python, "-m", "jupyter", "labextension", "list"]
    shown = subprocess.run(listed, env=environment, capture_output=True, text=True, timeout=60).stderr
    assert "datarus-jupyter v0.1.0" in shown
    replies = [render_step("Count.", "print(6 * 7)"), render_answer("Done.", "It is 42.")]
    (tmp_path / "replies.json").write_text(json.dumps(replies))
    script = {"DATARUS_REPLIES": str(tmp_path / "replies.json"), "PATH": path}
    with running_lab(tmp_path / "lab", python=python, **script) as lab:
        make_notebook(lab.root / "work.ipynb")
        tab = Tab(browser, lab)
        tab.ask("What is 6 × 7?")
        tab.wait_for_end()
        expect(tab.answer).to_contain_text("It is 42")
        assert tab.sources() == ["Count.", "print(6 * 7)", "Done.", "It is 42."]
        assert tab.errors == []
        tab.context.close()

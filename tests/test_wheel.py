"""The wheel as a user installs it: an empty environment, no Node on the path, a working JupyterLab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from datarus_jupyter.protocol.tags import render_answer, render_step

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))
from lab import Lab, running_lab  # noqa: E402


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


@pytest.mark.timeout(600)
def test_it_works_in_an_empty_environment_without_node(wheel: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=120)
    path = f"{python.parent}:/usr/bin:/bin"
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
        (lab.root / "a.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
        run = _call(lab, "runs", {"question": "What is 6 × 7?", "notebook": "a.ipynb"})["run"]
        events: list[dict[str, object]] = []
        while not events or events[-1]["type"] != "run_finished":
            events = _call(lab, f"runs/{run}")["events"]
        assert events[-1]["answer"] == "It is 42."


def _call(lab: Lab, path: str, body: dict[str, str] | None = None) -> dict[str, list[dict[str, object]]]:
    data = json.dumps(body).encode() if body else None
    request = Request(f"{lab.url}/datarus/api/{path}", data, {"Authorization": f"token {lab.token}"})
    with urlopen(request, timeout=60) as response:
        return json.load(response)  # type: ignore[no-any-return]

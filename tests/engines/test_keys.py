"""API keys are kept where only their owner can read them, and are told to nobody but the engine."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest
from click.testing import CliRunner

from datarus_jupyter.cli import main
from datarus_jupyter.engines.config import EngineConfig, make_engine
from datarus_jupyter.engines.keys import Key, find_key, key_file, store_key
from datarus_jupyter.engines.openai_compatible import OpenAICompatible
from datarus_jupyter.errors import ConfigError

KEY = "sk-test-0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine of its own, without a key in the environment and, as keyring sees it, without a keyring."""
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATARUS_API_KEY", raising=False)
    yield
    keyring.set_keyring(before)


def in_process(code: str, backend: str, folder: Path) -> str:
    """What Python prints where keyring has the backend: it chooses once a process."""
    variables = {"PYTHON_KEYRING_BACKEND": backend, "KEYRING_FOLDER": str(folder)}
    variables["PYTHONPATH"] = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


USE = """
from datarus_jupyter.engines.keys import find_key, store_key
print(store_key("openai", "sk-test-0123456789abcdef"), find_key("openai").source, find_key("openai").value)
print(store_key("openai", ""), find_key("openai").source)
"""
FAIL, PLAIN = "keyring.backends.fail.Keyring", "folder_keyring.FolderKeyring"


def test_a_keyring_keeps_it_and_no_file_does(tmp_path: Path) -> None:
    assert in_process(USE, PLAIN, tmp_path).split() == ["keyring", "keyring", KEY]
    assert not key_file("openai").exists()


def test_without_a_keyring_a_file_does(tmp_path: Path) -> None:
    assert in_process(USE, FAIL, tmp_path).split() == ["file", "file", KEY]


def test_the_file_is_its_owners_alone() -> None:
    store_key("openai", KEY)
    file = key_file("openai")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert file.read_text().strip() == KEY


def test_a_link_in_the_files_place_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    key_file("openai").parent.mkdir(parents=True)
    key_file("openai").symlink_to(elsewhere)
    in_process(USE, FAIL, tmp_path)
    assert elsewhere.read_text() == "theirs"


def test_the_environment_comes_first(tmp_path: Path) -> None:
    assert find_key("openai", {"DATARUS_API_KEY": KEY}) == Key(KEY, "environment")
    assert find_key("openai", {}) == Key()


def test_no_name_of_an_engine_leads_elsewhere(tmp_path: Path) -> None:
    assert key_file("../../x").parent == key_file("openai").parent


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel", "\x00"])
def test_what_cannot_be_a_key_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match="one word"):
        store_key("openai", key)


def test_no_representation_shows_it() -> None:
    assert KEY not in repr(Key(KEY, "file"))
    assert KEY not in repr(EngineConfig(key=KEY))


async def test_the_engine_sends_it_and_another_one_from_then_on(tmp_path: Path) -> None:
    sent: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        sent.extend(line.split(" ", 1)[1] for line in request.splitlines() if line.lower().startswith("authorization"))
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    key_file("openai").parent.mkdir(parents=True)
    key_file("openai").write_text(KEY)
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        engine = make_engine(EngineConfig(url=f"http://127.0.0.1:{port}/v1", model="m"))
        assert isinstance(engine, OpenAICompatible)
        async with engine:
            await engine.start()
            engine.use_key("another")
            await engine.start()
    assert set(sent) == {f"Bearer {KEY}", "Bearer another"}


def test_the_command_takes_it_from_standard_input_and_says_where_it_is() -> None:
    done = CliRunner().invoke(main, ["engines", "key"], input=KEY + "\n")
    assert done.exit_code == 0, done.output
    assert KEY not in done.output
    assert str(key_file("openai")) in done.output
    assert find_key("openai").value == KEY
    assert "forgotten" in CliRunner().invoke(main, ["engines", "key", "--remove"]).output
    assert find_key("openai") == Key()
    assert CliRunner().invoke(main, ["engines", "key"], input="\n").exit_code == 1

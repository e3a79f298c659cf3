"""A real vLLM server on the CPU with a small model, for tests and for benchmarks/vllm_prefix_cache.py."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

MODEL = "smollm2-135m"
CONTEXT = 4096
BLOCK = 32
"""Tokens in a block of the prefix cache, which holds whole blocks only. Its CPU kernels take multiples of 32."""

_ENVIRONMENT = Path(__file__).parents[2] / ".venv-vllm"
_READY_SECONDS = 240
_LOG_CHARS = 12_000
_QUIET = {
    "HF_HUB_OFFLINE": "1",
    "OMP_WAIT_POLICY": "passive",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
}


@dataclass(frozen=True, slots=True)
class VllmServer:
    """A running server. ``url`` is its root: the API is under ``/v1``."""

    url: str
    key: str

    def metric(self, name: str) -> float:
        """A counter or gauge of ``/metrics``, such as ``vllm:num_requests_running``, summed over its labels."""
        text = httpx.get(f"{self.url}/metrics", trust_env=False, timeout=10).text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        values = [sample.value for sample in samples if sample.name == name]
        assert values, f"vLLM has no metric {name}"
        return sum(values)

    def text_of(self, token_ids: list[int]) -> str:
        """The text of tokens, by the model's own tokenizer."""
        asked = {"model": MODEL, "tokens": token_ids}
        headers = {"Authorization": f"Bearer {self.key}"}
        response = httpx.post(f"{self.url}/detokenize", json=asked, headers=headers, trust_env=False, timeout=10)
        return str(response.raise_for_status().json()["prompt"])


def model_folder(gguf: Path) -> Path:
    """The model in the form that vLLM loads, made from the GGUF once (a minute) and kept beside its folder."""
    folder = gguf.parent.parent / "hf" / gguf.stem
    if not folder.exists():
        script = Path(__file__).with_name("gguf_to_hf.py")
        subprocess.run([_python(), script, gguf, folder], env=os.environ | _QUIET, check=True, timeout=240)
    return folder


@contextmanager
def serving(folder: Path, log_file: Path, *, block: int = BLOCK) -> Iterator[VllmServer]:
    """Start vLLM with the model in ``folder``, wait until it answers, stop it at the end.

    Raises ``RuntimeError`` with the end of its log if it does not become ready.
    """
    server = VllmServer(f"http://127.0.0.1:{_free_port()}", secrets.token_hex(16))
    environment = (
        os.environ | _QUIET | {"LD_PRELOAD": str(_ENVIRONMENT / "lib/libiomp5.so"), "VLLM_API_KEY": server.key}
    )
    with log_file.open("w") as log:
        # A session of its own, so that its workers can be ended with it; setpriv, so that it ends if we are killed.
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *_command(folder, server, block)],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_ready(process, server, log_file)
            yield server
        finally:
            _stop(process)


def _command(folder: Path, server: VllmServer, block: int) -> list[str]:
    # Not `vllm serve`: that command looks for a distribution called vllm, and the CPU build is called vllm-cpu.
    return [
        *(_python(), "-m", "vllm.entrypoints.openai.api_server"),
        *("--model", str(folder), "--served-model-name", MODEL),
        *("--host", "127.0.0.1", "--port", server.url.rpartition(":")[2]),
        *("--dtype", "bfloat16", "--enforce-eager", "--max-model-len", str(CONTEXT), "--max-num-seqs", "8"),
        *("--enable-prefix-caching", "--enable-prompt-tokens-details", "--block-size", str(block)),
    ]


def _python() -> str:
    python = _ENVIRONMENT / "bin/python"
    assert python.exists(), "vLLM is not installed: run `make .venv-vllm/installed`"
    return str(python)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], server: VllmServer, log_file: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not _healthy(server):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"vLLM did not become ready:\n{log_file.read_text(errors='replace')[-_LOG_CHARS:]}")
        time.sleep(0.2)


def _healthy(server: VllmServer) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{server.url}/health", trust_env=False, timeout=5).status_code == 200
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(20)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)

"""The child process of the embedded engine: llama.cpp's own server, in this process, on a loopback port.

``python -m datarus_jupyter.engines.embedded_server`` reads its settings (one JSON line, with the key) from standard
input, prints its address (one line) and serves until standard input ends or its parent is gone. The key never appears
in the arguments or the environment, where other processes of the user could read it.

All that is known of xllamacpp is in this file: its interface moves.
"""

from __future__ import annotations

import os
import sys
import threading
import time

import msgspec
import xllamacpp  # type: ignore[import-untyped]

from datarus_jupyter.engines.embedded_process import ServerSettings

_PROMPT_CACHE_MIB = 512
_BATCH_TOKENS = 512
_PARENT_CHECK_SECONDS = 1.0


def serve(settings: ServerSettings) -> xllamacpp.Server:
    """Load the model and start the server's threads; it stops with the object that is returned."""
    params = xllamacpp.CommonParams()
    params.model.path = settings.model_file
    params.model_alias = {settings.model}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings.key]
    params.n_parallel = settings.slots
    params.n_ctx = settings.context * settings.slots
    params.cpuparams.n_threads = settings.threads
    params.cpuparams_batch.n_threads = settings.threads
    # A request that is given up while its prompt is read ends with the batch.
    params.n_batch = _BATCH_TOKENS
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    # The text is ours to parse: reasoning stays where the model wrote it.
    params.reasoning_format = xllamacpp.common_reasoning_format.COMMON_REASONING_FORMAT_NONE
    params.offline = True
    params.ui = params.endpoint_slots = False
    if settings.lora_file:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(settings.lora_file, 1.0)]
    return xllamacpp.Server(params)


def _exit_with_input() -> None:
    while sys.stdin.buffer.read(1024):
        pass
    os._exit(0)


def main() -> None:
    """Serve until the parent closes standard input or dies, in whatever way."""
    parent = os.getppid()
    settings = msgspec.json.decode(sys.stdin.buffer.readline(), type=ServerSettings)
    threading.Thread(target=_exit_with_input, daemon=True).start()
    server = serve(settings)
    print(server.listening_address, flush=True)
    # A fork of the parent may hold standard input open beyond the parent's death: so its death is watched too.
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    main()

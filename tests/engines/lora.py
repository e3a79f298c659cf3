"""Writes a LoRA adapter in GGUF (version 3), as small as llama.cpp takes it."""

from __future__ import annotations

import random
import struct
from pathlib import Path

_ALIGNMENT = 32
_UINT32, _FLOAT32, _STRING = 4, 6, 8


def write_lora(path: Path, *, width: int, rank: int = 1, scale: float = 1.0) -> None:
    """An adapter of random weights for the first layer's query projection of a llama model, ``width`` to ``width``."""
    rng = random.Random(1)
    metadata = [
        _pair("general.architecture", _STRING, _string("llama")),
        _pair("general.type", _STRING, _string("adapter")),
        _pair("adapter.type", _STRING, _string("lora")),
        _pair("adapter.lora.alpha", _FLOAT32, struct.pack("<f", rank)),
        _pair("general.alignment", _UINT32, struct.pack("<I", _ALIGNMENT)),
    ]
    size = width * rank
    shapes = {"blk.0.attn_q.weight.lora_a": (width, rank), "blk.0.attn_q.weight.lora_b": (rank, width)}
    step = -(-size * 4 // _ALIGNMENT) * _ALIGNMENT
    tensors = [
        _string(name) + struct.pack("<IQQIQ", 2, *shape, 0, number * step)
        for number, (name, shape) in enumerate(shapes.items())
    ]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)) + b"".join(metadata + tensors)
    weights = [struct.pack(f"<{size}f", *(rng.gauss(0, scale) for _ in range(size))) for _ in shapes]
    padded = head.ljust(-(-len(head) // _ALIGNMENT) * _ALIGNMENT, b"\0")
    path.write_bytes(padded + b"".join(weight.ljust(step, b"\0") for weight in weights))


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _pair(key: str, kind: int, value: bytes) -> bytes:
    return _string(key) + struct.pack("<I", kind) + value

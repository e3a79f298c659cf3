"""How fast the streaming parser reads: in large pieces, as from a file, and in pieces of a token's size."""

from __future__ import annotations

import time

from benchmarks.figure import Figure, figure
from benchmarks.transcripts import TRANSCRIPT
from datarus_jupyter.protocol.parser import StreamParser

_RUNS = 7
_LARGE = 64 * 1024
_TOKEN = 4


def measure() -> list[Figure]:
    """MB (10^6 bytes) a second."""
    text = TRANSCRIPT * (4_000_000 // len(TRANSCRIPT))
    large = [_megabytes_a_second(text, _LARGE) for _ in range(_RUNS)]
    small = [_megabytes_a_second(text[: len(text) // 4], _TOKEN) for _ in range(_RUNS)]
    return [
        figure("parser_large_pieces", "MB/s", large, at_least=20, note="transcripts fed in pieces of 64 KiB"),
        figure("parser_four_characters", "MB/s", small, at_least=1, note="transcripts fed four characters at a time"),
    ]


def _megabytes_a_second(text: str, length: int) -> float:
    pieces = [text[at : at + length] for at in range(0, len(text), length)]
    parser = StreamParser()
    began = time.perf_counter()
    for piece in pieces:
        parser.feed(piece)
    parser.finish()
    return len(text.encode()) / 1e6 / (time.perf_counter() - began)

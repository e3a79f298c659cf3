"""Server-sent events, as far as chat completions use them (HTML standard, section 9.2.6)."""

from __future__ import annotations


class EventParser:
    """Cuts the bytes of a stream into the data of its events, however the bytes were chunked.

    Lines end in LF or CRLF only: ``str.splitlines`` would also cut at U+2028 and others that JSON may hold unescaped.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[str]:
        """The data of the events that ``chunk`` completes. Comments and other fields are left out."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        events = []
        for line in lines:
            line = line.removesuffix(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                events.append(b"\n".join(self._data).decode(errors="replace"))
                self._data = []
        return events

"""Everything that this package raises on purpose.

DatarusError                 a sentence for the user that says what to do
├── EngineError              the engine cannot answer
│   ├── EngineUnreachable    no connection, or it was refused
│   ├── EngineTimeout        no first token, or silence in mid-stream
│   ├── EngineRefused        4xx: key, model name, request
│   ├── ContextTooLong       the conversation does not fit the model's window
│   ├── EngineBroken         5xx, a cut stream, HTML instead of events
│   └── ModelMissing         the embedded model is not on disk
├── DownloadError            a model cannot be fetched
├── KernelError              no kernel, or it cannot be reached
├── JournalError             a journal cannot be read or written
├── AttachmentError      what the user chose for a question is not there
├── SurfaceError             a notebook cannot be read or written
└── ConfigError              a setting has no sense
"""

from __future__ import annotations


class DatarusError(Exception):
    """The message is one sentence for the user: what happened, then what to do."""


class EngineError(DatarusError):
    """The engine cannot answer. ``streamed``: text of this turn was already yielded, so it must be asked again."""

    def __init__(self, message: str, *, streamed: bool = False) -> None:
        super().__init__(message)
        self.streamed = streamed


class EngineUnreachable(EngineError):
    """No connection."""


class EngineTimeout(EngineError):
    """No first token in time, or silence in mid-stream."""


class EngineRefused(EngineError):
    """The engine understood and said no (4xx)."""


class ContextTooLong(EngineRefused):
    """The messages and the reply do not fit the model's context."""


class EngineBroken(EngineError):
    """The engine failed (5xx), the stream was cut, or what came was no event stream."""


class ModelMissing(EngineError):
    """The embedded engine's model is not on disk."""


class DownloadError(DatarusError):
    """A model cannot be fetched."""


class KernelError(DatarusError):
    """No kernel, or it cannot be reached."""


class JournalError(DatarusError):
    """A journal cannot be read or written."""


class AttachmentError(DatarusError):
    """What the user chose to show with a question is not there, or cannot be read."""


class SurfaceError(DatarusError):
    """A notebook cannot be read or written."""


class ConfigError(DatarusError):
    """A setting has no sense."""

"""A message to the model."""

from __future__ import annotations

from typing import Literal

import msgspec


class Message(msgspec.Struct, frozen=True):
    """One message, as in the chat-completions API."""

    role: Literal["system", "user", "assistant"]
    content: str

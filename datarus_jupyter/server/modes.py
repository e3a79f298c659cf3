"""The modes that this server allows: an administrator's settings cap what a user, or a page, may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import msgspec

from datarus_jupyter.errors import ConfigError
from datarus_jupyter.journal.events import Mode

ALL: tuple[Mode, ...] = get_args(Mode)
_FREEDOM: tuple[Mode, ...] = ("plan", "ask", "ask_if_risky", "auto")
"""From the mode in which the agent may do least."""


class Modes(msgspec.Struct, frozen=True):
    """The modes that may be chosen, and the one where nobody has chosen."""

    modes: list[Mode]
    mode: Mode

    @classmethod
    def of(cls, allowed: Sequence[Mode], default: Mode) -> Modes:
        """A ``default`` that is not allowed gives way to the next one that asks more, or else to the least free."""
        ranked = [mode for mode in _FREEDOM if mode in allowed]
        below = [mode for mode in ranked if _FREEDOM.index(mode) <= _FREEDOM.index(default)]
        return cls([mode for mode in ALL if mode in allowed], below[-1] if below else ranked[0])

    def checked(self, wanted: Mode | None) -> Mode:
        """The mode that is wanted, or the default. Raises ``ConfigError`` for one that is not allowed."""
        if wanted is None:
            return self.mode
        if wanted not in self.modes:
            raise ConfigError(f"The mode {wanted} is not allowed on this server: choose {' or '.join(self.modes)}.")
        return wanted

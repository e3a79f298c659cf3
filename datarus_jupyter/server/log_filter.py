"""Keeps the secrets that are known out of what we, and failing handlers of ours, write into the server's log."""

from __future__ import annotations

import logging

from datarus_jupyter.journal.secrets import Secrets

_OURS = __name__.partition(".")[0]


class SecretFilter(logging.Filter):
    """Put on the handlers that the server's log and our own modules' go to, until ``remove``."""

    def __init__(self, secrets: Secrets, log: logging.Logger | logging.LoggerAdapter[logging.Logger]) -> None:
        super().__init__()
        self._secrets = secrets
        logger = log.logger if isinstance(log, logging.LoggerAdapter) else log
        last = [logging.lastResort] if logging.lastResort else []
        self._handlers: list[logging.Handler] = [*logger.handlers, *logging.getLogger().handlers, *last]
        for handler in self._handlers:
            handler.addFilter(self)

    def remove(self) -> None:
        """Take it off again."""
        for handler in self._handlers:
            handler.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact what is ours and every traceback. Jupyter's own words are its own: it prints the address to open."""
        ours = record.name.startswith(_OURS) or _OURS in record.pathname
        if ours:
            record.msg, record.args = self._secrets.redact(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._secrets.redact(logging.Formatter().formatException(record.exc_info))
        return True

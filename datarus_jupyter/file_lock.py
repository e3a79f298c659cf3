"""A lock on an open file that one process holds, and that ends with it."""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import msvcrt
    import os

    _FAR = 1 << 30
    """The byte that is locked: other processes cannot read a locked part, so it lies behind all that is written."""

    def lock(fd: int) -> None:
        """Lock the file. Raises ``BlockingIOError`` if another process has it."""
        here = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(error.errno, error.strerror) from error
        finally:
            os.lseek(fd, here, os.SEEK_SET)

else:
    import fcntl

    def lock(fd: int) -> None:
        """Lock the file. Raises ``BlockingIOError`` if another process has it."""
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

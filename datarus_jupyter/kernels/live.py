"""The notebook's own kernel, through a second client: the user's variables are there."""

from __future__ import annotations

from datarus_jupyter.kernels.channel import KernelChannel, KernelManager, Waits


def live_kernel(manager: KernelManager, kernel_id: str, waits: Waits | None = None) -> KernelChannel:
    """The kernel that ``manager`` runs, such as a Jupyter server's ``kernel_manager.get_kernel(kernel_id)``.

    Used as an async context manager; the kernel outlives it.
    """
    return KernelChannel(manager, kernel_id, waits)

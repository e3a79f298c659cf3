"""Shared by all tests: Jupyter's own fixtures, which also run ``async def`` tests."""

from hypothesis import settings

# An example that takes long on a busy machine is no failure.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

pytest_plugins = ["pytest_jupyter.jupyter_server"]

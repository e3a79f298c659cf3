"""Shared by all tests: Jupyter's own fixtures, which also run ``async def`` tests."""

pytest_plugins = ["pytest_jupyter.jupyter_server"]

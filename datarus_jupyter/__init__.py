"""Datarus in Jupyter: a data-analysis agent that works in the user's own notebook and kernel."""

from __future__ import annotations

__version__ = "0.1.0"

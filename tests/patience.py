"""How long a test waits for what must come."""

PATIENCE = 150.0
"""Seconds. Only a test that fails waits that long, so this is for the slowest machine under load."""

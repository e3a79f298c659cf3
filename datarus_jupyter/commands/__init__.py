"""The subcommands of ``datarus``."""

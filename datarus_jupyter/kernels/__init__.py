"""Where code runs: the notebook's live kernel, or a fresh one of our own."""

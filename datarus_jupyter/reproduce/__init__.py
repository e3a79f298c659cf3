"""Whether a notebook gives the same results when it is run again."""

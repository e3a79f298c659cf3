"""The model's format, pure and without I/O: tags, the streaming parser, prompts, escaping."""

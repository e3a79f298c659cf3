"""What serves the model: any OpenAI-compatible server, the embedded one, and the scripted double."""

"""The Jupyter server extension: REST, one WebSocket, the runs under way."""

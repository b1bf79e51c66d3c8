"""The vocabulary as frozen dataclasses. No I/O here, and nothing that knows Docker, SSH or a terminal."""

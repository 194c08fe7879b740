"""The public board: server-made pages of public figures."""

"""What each trade makes of rollups: every indicator stated once, a module per trade."""

"""What a trade must know beside readings, as ``city.toml`` says it: a module per trade."""

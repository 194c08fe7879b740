"""One pure module per payload format."""

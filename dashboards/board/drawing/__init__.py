"""Values to drawings: pure functions that return shapes, never styles."""

"""SQL as data: numbered migrations and named queries."""

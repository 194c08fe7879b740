"""Before and after: what became of a number where a measure was taken, and where not."""

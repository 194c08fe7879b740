"""What works, what does not, and the remedy."""

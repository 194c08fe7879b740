"""`beffroi sensors`: which devices there are, since when, and what they were before."""

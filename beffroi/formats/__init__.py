"""`beffroi formats`: what the payload formats are, and what a message becomes."""

"""`beffroi board`: the public board, and what an installer asks of it."""

"""What the board shows: one module per view, each a way to load rows and to say them."""

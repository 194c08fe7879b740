"""The words of Beffroi, and the database that keeps them."""

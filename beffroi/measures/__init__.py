"""`beffroi measures`: the register of public measures, and what became of them."""

"""`beffroi indicators`: what the trades make of readings, listed, shown, computed anew."""

"""Wiring: the command line, the demo, the embedded stack."""

"""Asking and changing what is on record: the ledger, refusals, readings."""

"""The head of a city file, for tests that add what they are about."""

ESSAI = """
[city]
name = "Essai"
timezone = "Europe/Paris"
[[territory]]
code = "99001"
name = "Essai"
"""

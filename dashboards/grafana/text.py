"""What people read, in the three languages Grafana pages are built in."""

from __future__ import annotations

LANGUAGES = ("fr", "en", "de")

Text = dict[str, str]
"""Language code -> words; as the labels of the catalogues."""


def text(fr: str, en: str, de: str) -> Text:
    """The same words in every language; French first.

    >>> text("Débit", "Flow", "Verkehrsstärke")["de"]
    'Verkehrsstärke'
    """
    return {"fr": fr, "en": en, "de": de}

"""How fast the database grows, as the footprint page and the alert rules both tell it."""

from __future__ import annotations

GROWTH = """
SELECT CASE WHEN max(hour) - min(hour) >= interval '3 days'
            THEN regr_slope(database_bytes, extract(epoch FROM hour)) * 86400 END AS per_day
  FROM reader.footprint
 WHERE program = 'processor' AND database_bytes IS NOT NULL AND hour > now() - interval '14 days'
""".strip()
"""Bytes a day, by a straight line through the last 14 days; NULL with fewer than 3 of them."""

"""Times on the command line are never guessed."""

from __future__ import annotations

import pytest

from beffroi.records.instants import NotAMoment, read

PARIS = "Europe/Paris"


@pytest.mark.parametrize(
    ("text", "utc", "local"),
    [
        ("2024-03-01T12:00", "2024-03-01T11:00:00+00:00", True),
        ("2024-07-01", "2024-06-30T22:00:00+00:00", True),
        ("2024-03-01T12:00Z", "2024-03-01T12:00:00+00:00", False),
        ("2024-10-27T02:30+02:00", "2024-10-27T00:30:00+00:00", False),
        (" 2024-10-27 03:00 ", "2024-10-27T02:00:00+00:00", True),
    ],
)
def test_a_time_is_local_unless_it_says_its_offset(text: str, utc: str, local: bool) -> None:
    from datetime import UTC

    moment = read(text, PARIS)

    assert (moment.time.astimezone(UTC).isoformat(), moment.local) == (utc, local)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2024-10-27T02:30", "twice in Europe/Paris; write 2024-10-27T02:30:00+02:00 or 2024-10-27T02:30:00+01:00"),
        ("2024-03-31T02:30", "never happened in Europe/Paris, the clock went forward; write 2024-03-31T01:30:00+01:00 or 2024-03-31T03:30:00+02:00"),
        ("noon", "'noon' is no time"),
        ("1710101012345", "is no time"),
        ("0001-01-01", "beyond the calendar"),
        ("9999-12-31T23:00-05:00", "beyond the calendar"),
    ],
)  # fmt: skip
def test_a_time_that_is_none_or_two_is_refused_with_what_to_write(text: str, told: str) -> None:
    with pytest.raises(NotAMoment) as refused:
        read(text, PARIS)

    assert told in str(refused.value)

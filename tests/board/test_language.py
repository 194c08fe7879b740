"""Words, numbers and dates of each language; what is in the files of languages."""

import re

import pytest

from dashboards.board.language import catalogue, codes, language


@pytest.mark.parametrize(("code", "text"), [("fr", "12\u202f345,7"), ("en", "12,345.7"),
                                            ("de", "12.345,7")])  # fmt: skip
def test_numbers_are_written_as_the_language_writes_them(code, text):
    assert language(code).number(12345.678, 1) == text


def test_halves_round_away_from_zero_and_no_zero_is_negative():
    assert [language("en").number(value) for value in (0.5, 1.5, -0.5, -0.4)] == [
        "1", "2", "\u22121", "0",
    ]  # fmt: skip


def test_a_coverage_just_short_of_all_is_not_rounded_to_all():
    assert language("fr").percent(0.9999) == "99\u00a0%"


def test_what_no_file_says_stays_english():
    assert language("fr").say("not in any file {n}", n=3) == "not in any file 3"


@pytest.mark.parametrize("code", [code for code in codes() if code != "en"])
def test_a_translation_keeps_the_blanks_of_the_english(code):
    for message in catalogue(code):
        given = (message.id,) if isinstance(message.id, str) else message.id
        texts = (message.string,) if isinstance(message.string, str) else message.string
        wanted = set(re.findall(r"{\w+}", given[-1]))
        for text in texts:
            if message.id and text:
                assert set(re.findall(r"{\w+}", text)) | {"{n}"} == wanted | {"{n}"}, text

"""A question that cannot be answered as it is asked."""

from __future__ import annotations


class QuestionError(Exception):
    """The options do not say what is meant; the message says what to write instead."""

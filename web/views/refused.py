"""What was refused and why, as a page says it in its own language. Pure.

The house says its refusals in English, to devices and to pages; what a nurse can meet on a page
stands in the words under `refused.`, found by its English sentence or by the code of the error.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from hospital_ops.errors import MessageError
from web.words import DEFAULT, Words, catalogue

PREFIX: Final = "refused."
OTHER: Final = "refused.other"


@cache
def by_sentence() -> dict[str, str]:
    """English sentence -> key of the words."""
    known = catalogue(DEFAULT)
    return {
        said: key
        for key, said in known.items()
        if isinstance(said, str) and key.startswith(PREFIX) and key.count(".") == 1
    }


def sentence(error: Exception, words: Words, status: int = 0) -> str:
    """The refusal in the language of the page; the precise sentence where that is English."""
    said = error.reason if isinstance(error, MessageError) else str(error)
    return in_words(said, words, error.code if isinstance(error, MessageError) else "", status)


def in_words(said: str, words: Words, code: str = "", status: int = 0) -> str:
    """The same for a sentence with its short code and, of a whole page, its status."""
    if words.language == DEFAULT:
        return said
    keys = (by_sentence().get(said, ""), f"refused.code.{code}", f"refused.status.{status}")
    return words.t(next((key for key in keys if words.has(key)), OTHER))

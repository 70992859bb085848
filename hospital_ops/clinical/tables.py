"""The clinical tables as they are published, read once from the package.

`tables/*.json` are taken over verbatim; `inputs.json` and `words.json` beside this file are our
own (which range checks which input; labels in English and Russian).
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, Final

_PACKAGE: Final = "hospital_ops.clinical"


@cache
def table(name: str) -> dict[str, Any]:
    """The published table `name` (without `.json`); callers must not change it.

    Raises FileNotFoundError for a table that is not part of the package.
    """
    source = resources.files(_PACKAGE) / "tables" / f"{name}.json"
    loaded: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return loaded


@cache
def own(name: str) -> dict[str, Any]:
    """Our own table `name`, from beside this file; callers must not change it."""
    source = resources.files(_PACKAGE) / f"{name}.json"
    loaded: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return loaded


def words(code: str, language: str = "en") -> str:
    """The label of a criterion, sign, rule, vital or reason; the code itself where none is known.

    `language` is "en" or "ru".
    """
    entry = own("words").get(code)
    return str(entry[language]) if isinstance(entry, dict) and language in entry else code

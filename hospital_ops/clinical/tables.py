"""The clinical tables as they are published, read once from the package.

`tables/*.json` are taken over verbatim; `inputs.json` and `words.json` beside this file are our
own (which range checks which input; labels in English and Russian). A program that computes an old
proposal anew reads an older edition of them instead (`become`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from hospital_ops.errors import ConfigurationError

_EDITION: Final[dict[str, dict[str, Any]]] = {}  # path of a table: what an older edition says


@cache
def at(path: str) -> dict[str, Any]:
    """The table at `path` below the root of the program, without `.json`; not to be changed.

    Raises FileNotFoundError for a table that is not part of the package.
    """
    if path in _EDITION:
        return _EDITION[path]
    folder, _, name = path.rpartition("/")
    source = resources.files(folder.split("/", maxsplit=1)[0])
    for part in (*folder.split("/")[1:], f"{name}.json"):
        source = source / part
    loaded: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return loaded


def table(name: str) -> dict[str, Any]:
    """The published table `name` (without `.json`); callers must not change it."""
    return at(f"hospital_ops/clinical/tables/{name}")


def own(name: str) -> dict[str, Any]:
    """Our own table `name`, from beside this file; callers must not change it."""
    return at(f"hospital_ops/clinical/{name}")


def become(edition: Mapping[str, dict[str, Any]]) -> None:
    """Reads these tables instead from now on: for a program of its own that computes anew.

    ConfigurationError where a rule was read already: it would go on as it was.
    """
    if at.cache_info().currsize:
        raise ConfigurationError("rules have been read already: start a program of its own")
    _EDITION.update(edition)


def words(code: str, language: str = "en") -> str:
    """The label of a criterion, sign, rule, vital or reason; the code itself where none is known.

    `language` is "en" or "ru".
    """
    entry = own("words").get(code)
    return str(entry[language]) if isinstance(entry, dict) and language in entry else code

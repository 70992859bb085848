"""JSON lines in, JSON lines out: one answer for each line, whatever the line is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import IO, Any


def answer_lines(
    source: IO[bytes], target: IO[bytes], answer: Callable[[Any], dict[str, Any]]
) -> None:
    """Read `source` line by line, write one line of JSON for each that is not blank.

    A line that is not JSON in UTF-8 is answered {"error": "bad_json"}; the next one goes on. An
    answer is written before the next line is read, so that a program may ask and wait.
    """
    for line in source:
        if not line.strip():
            continue
        try:
            given = json.loads(line)
        except (ValueError, RecursionError) as problem:
            # A message of `json` may quote nothing but the place, never what was typed there.
            reply = {"error": "bad_json", "detail": f"the line is not JSON: {_place(problem)}"}
        else:
            reply = answer(given)
        # Half a surrogate pair can be typed in JSON; it goes back as the escape it came as.
        text = json.dumps(reply, ensure_ascii=False).encode(errors="backslashreplace")
        try:
            target.write(text + b"\n")
            target.flush()
        except BrokenPipeError:  # who reads has seen enough (`| head`)
            os.dup2(os.open(os.devnull, os.O_WRONLY), target.fileno())
            return


def _place(problem: Exception) -> str:
    if isinstance(problem, json.JSONDecodeError):
        return f"{problem.msg} at character {problem.pos + 1}"
    if isinstance(problem, UnicodeDecodeError):
        return f"byte {problem.start + 1} is not UTF-8"
    return "nested too deeply" if isinstance(problem, RecursionError) else "a number is too long"

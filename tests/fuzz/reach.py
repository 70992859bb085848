"""Which lines of the readers a target walks through, counted without atheris."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2] / "hospital_ops"
IDLE_MOST: Final = 3000  # then a function is no longer watched at this input: loops are long


def reached(
    target: Callable[[bytes], None], inputs: Iterable[bytes], readers: Sequence[str]
) -> tuple[int, int]:
    """(lines walked through, lines there are) within the functions of the files of `readers`."""
    files = {
        str(path): _lines(path)
        for path in sorted(ROOT.rglob("*.py"))
        if any(path.as_posix().endswith(f"/{name}") for name in readers)
    }
    walked: dict[str, set[int]] = {name: set() for name in files}
    idle: Counter[CodeType] = Counter()  # lines of a function in a row that brought nothing new

    def line(frame: FrameType, event: str, _: Any) -> Any:
        seen, code = walked[frame.f_code.co_filename], frame.f_code
        if event == "line" and frame.f_lineno not in seen:
            seen.add(frame.f_lineno)
            idle[code] = 0
        idle[code] += 1
        return line if idle[code] < IDLE_MOST else None

    def call(frame: FrameType, _: str, __: Any) -> Any:
        code = frame.f_code
        return line if code.co_filename in walked and idle[code] < IDLE_MOST else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        for data in inputs:
            idle.clear()
            target(data)
    finally:
        sys.settrace(before)
    return sum(len(walked[name] & lines) for name, lines in files.items()), sum(
        map(len, files.values())
    )


def _lines(path: Path) -> set[int]:
    """The lines of the bodies of all functions of a file; those of its classes run at import."""
    return _inner(compile(path.read_text(encoding="utf-8"), str(path), "exec"))


def _inner(code: CodeType) -> set[int]:
    found, nested = set[int](), set[int]()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if constant.co_flags & CO_OPTIMIZED:
                found |= {line for _, _, line in constant.co_lines() if line}
                nested.add(constant.co_firstlineno)
            found |= _inner(constant)
    return found - nested

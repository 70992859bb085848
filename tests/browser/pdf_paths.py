"""The lines of a PDF in millimetres of its paper, as a printer would draw them."""

from __future__ import annotations

import re
import zlib

POINT_MM = 25.4 / 72
_STREAM = re.compile(rb"<<(?:(?!>>\s*stream).)*?>>\s*stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_TOKEN = re.compile(
    rb"/[^\s/\[\]<>()]+|\((?:\\.|[^\\)])*\)|<[0-9A-Fa-f\s]*>|[\[\]]|[^\s/\[\]<>()]+"
)
Matrix = tuple[float, float, float, float, float, float]
Line = list[tuple[float, float]]


def lines_of(pdf: bytes) -> list[Line]:
    """Every line that is drawn, as points in millimetres from the lower left corner."""
    found: list[Line] = []
    for packed in _STREAM.findall(pdf):
        try:
            # The last byte of its sum may be a carriage return, which the pattern takes for a line.
            found += _drawn(zlib.decompressobj().decompress(packed))
        except zlib.error:
            continue  # a picture or a font
    return found


def _drawn(content: bytes) -> list[Line]:
    matrix: Matrix = (1, 0, 0, 1, 0, 0)
    kept: list[Matrix] = []
    numbers: list[float] = []
    lines: list[Line] = []
    for token in _TOKEN.findall(content):
        try:
            numbers.append(float(token))
            continue
        except ValueError:
            pass
        if token == b"q":
            kept.append(matrix)
        elif token == b"Q" and kept:
            matrix = kept.pop()
        elif token == b"cm" and len(numbers) >= 6:
            matrix = _times(numbers[-6:], matrix)
        elif token == b"m" and len(numbers) >= 2:
            lines.append([_at(numbers[-2:], matrix)])
        elif token == b"l" and len(numbers) >= 2 and lines:
            lines[-1].append(_at(numbers[-2:], matrix))
        numbers = []
    return [line for line in lines if len(line) > 1]


def _times(by: list[float], matrix: Matrix) -> Matrix:
    a, b, c, d, e, f = by
    return (
        a * matrix[0] + b * matrix[2],
        a * matrix[1] + b * matrix[3],
        c * matrix[0] + d * matrix[2],
        c * matrix[1] + d * matrix[3],
        e * matrix[0] + f * matrix[2] + matrix[4],
        e * matrix[1] + f * matrix[3] + matrix[5],
    )


def _at(point: list[float], matrix: Matrix) -> tuple[float, float]:
    x, y = point
    return (
        (x * matrix[0] + y * matrix[2] + matrix[4]) * POINT_MM,
        (x * matrix[1] + y * matrix[3] + matrix[5]) * POINT_MM,
    )

"""How long to wait before a child that ended is started again: pure."""

from typing import Final

FIRST_PAUSE_S: Final = 0.1
STEADY_AFTER_S: Final = 10.0


def failures_after(failures: int, up_s: float) -> int:
    """The number of ends in a row, counting one after `up_s` seconds of life.

    Ten seconds of life make a child steady: its next end counts as the first.
    """
    return 1 if up_s >= STEADY_AFTER_S else failures + 1


def pause_s(failures: int, longest_s: float) -> float:
    """Seconds before start number `failures`: 0, 0.1, 0.2, 0.4 and so on up to `longest_s`.

    >>> [pause_s(failures, 2.0) for failures in (1, 2, 3, 9)]
    [0.0, 0.1, 0.2, 2.0]
    """
    if failures <= 1:
        return 0.0
    # The exponent is bounded: a child that never comes back would make the power overflow.
    return min(FIRST_PAUSE_S * 2.0 ** min(failures - 2, 16), longest_s)

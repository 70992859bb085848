"""What the bar of an intensive care board says beside its counts: who is expected. Pure."""

from __future__ import annotations

from typing import Final

from hospital_ops.board import Head
from hospital_ops.board_coming import ComingCell
from web.views.values import Frame, clock

MOST: Final = 2  # the bar has room for so many


def bar_lines(head: Head | None, frame: Frame) -> tuple[str, ...]:
    """`Coming 14:30: City 2, M 62, bed 3`, the first to arrive first; then how many more.

    After them, how many refilings wait for somebody to decide (decision 0053).
    Before them, where a site has switched it off, that nobody here looks at the live ECG.
    """
    coming = head.coming if head else ()
    lines = [_line(one, frame) for one in coming[:MOST]]
    if len(coming) > MOST:
        lines.append(frame.words.t("bar.more", n=len(coming) - MOST))
    if head is not None and head.refilings:
        lines.append(frame.words.t("waits.refilings", n=head.refilings))
    if head is not None and not head.ecg_analysis:
        lines.insert(0, frame.words.t("bar.no_ecg_analysis"))
    return tuple(lines)


def _line(one: ComingCell, frame: Frame) -> str:
    words = frame.words
    told = [one.words]
    if one.bed:
        told.append(words.t("transfer.bed", bed=one.bed.rpartition("-")[2].lstrip("0") or one.bed))
    if one.mode != "Real":
        told.append(words.t("mode.sim"))
    at = clock(one.eta, frame.zone) if one.eta else ""
    return f"{words.t('transfer.coming', at=at)}: {', '.join(told)}".replace(" :", ":")

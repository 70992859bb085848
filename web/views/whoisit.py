"""The page of who is who at a bed, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from hospital_ops.board import BedCell
from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import Record
from hospital_ops.errors import MessageError
from icu.filing.store import Span
from web.views.values import Frame

_DAY: Final = "%d.%m. %H:%M:%S"
_FIELD: Final = "%Y-%m-%dT%H:%M:%S"  # of an input of the kind datetime-local


def patient(cell: BedCell | None) -> dict[str, str]:
    """Who lies here, as the page names them; empty ids where nobody does."""
    here = cell.patient if cell else None
    if here is None:
        return {"id": "", "mrn": "", "name": ""}
    return {"id": here.patient_id, "mrn": here.mrn, "name": here.name}


def devices(rows: Iterable[Record], frame: Frame) -> list[dict[str, Any]]:
    """The monitors at the bed."""
    return [
        {
            "device": row["device"],
            "model": row["model"],
            "mode": row["mode"],
            "version": row["version"],
            "since": _when(row["from_at"], frame) if row["from_at"] else "",
            "by": row["made_by"] or "",
            "way": frame.words.t(f"whois.way.{row['way']}"),
        }
        for row in rows
    ]


def history(rows: Iterable[Record], bed: str, frame: Frame) -> list[str]:
    """What came and went, the newest first, a line each."""
    words = frame.words
    return [
        words.t(
            "whois.came" if row["bed"] == bed else "whois.left",
            time=_when(row["from_at"], frame),
            device=row["device"],
            by=row["made_by"],
            way=words.t(f"whois.way.{row['way']}"),
        )
        for row in rows
    ]


def spans(found: Sequence[Span], frame: Frame) -> list[dict[str, Any]]:
    """What is nobody's, each with the fields of its form."""
    return [
        {
            "place": span.place,
            "device": span.device,
            "named_other": span.named_other,
            "mode": span.mode,
            "number": span.number,
            "first": span.first,
            "last": span.last,
            "from": _local(span.first, frame, _FIELD),
            "until": _local(span.last, frame, _FIELD),
            "words": f"{_local(span.first, frame, _DAY)} – {_local(span.last, frame, _DAY)}",
        }
        for span in found
    ]


def filings(rows: Iterable[Record], frame: Frame) -> list[dict[str, Any]]:
    """What was filed, and what of it was taken back."""
    words = frame.words
    return [
        {
            "id": str(row["filing"]),
            "device": row["device"],
            "mrn": row["mrn"],
            "words": f"{_when(row['from_at'], frame)} – {_when(row['to_at'], frame)}",
            "by": words.t("whois.filed_by", by=row["filed_by"], time=_when(row["filed_at"], frame)),
            "back": words.t(
                "whois.taken_back", by=row["reversed_by"], time=_when(row["reversed_at"], frame)
            )
            if row["reversed_at"]
            else "",
            "why": row["reversed_why"],
        }
        for row in rows
    ]


def refilings(rows: Iterable[Record], frame: Frame) -> list[dict[str, Any]]:
    """What a late message filed anew or proposes, and what of it was taken back."""
    words = frame.words
    return [
        {
            "id": str(row["refiling"]),
            "mrn": row["mrn"] or words.t("whois.refiled_to"),
            "words": f"{_when(row['from_at'], frame)} – {_when(row['to_at'], frame)}",
            "said": words.t(
                "whois.refiled_line", event=row["event"], told=_when(row["told_at"], frame)
            ),
            "by": words.t(
                "whois.filed_by", by=row["decided_by"], time=_when(row["decided_at"], frame)
            )
            if row["decided_at"]
            else "",
            "waits": row["proposed"] and not row["decided_at"] and not row["reversed_at"],
            "asks": words.t("whois.proposed_nobody" if row["event"] == "A11" else "whois.proposed"),
            "back": words.t(
                "whois.taken_back", by=row["reversed_by"], time=_when(row["reversed_at"], frame)
            )
            if row["reversed_at"]
            else "",
            "why": row["reversed_why"],
        }
        for row in rows
    ]


def behind(rows: Iterable[Record], frame: Frame) -> list[dict[str, Any]]:
    """Records that have not come along from another unit yet, each with the cause and the tries.

    What stands against it there (an integrity constraint, class 23) somebody can often end.
    """
    said = frame.words.t
    return [
        {
            "number": row["behind"],
            "from": row["from_unit"],
            "to": row["bed"] or row["unit"],
            "since": _when(row["failed_at"], frame),
            "tried": said("waits.tried", n=row["tries"], time=_when(row["tried_at"], frame)),
            "code": row["code"],
            "against": row["code"].startswith("23"),
        }
        for row in rows
    ]


def kin(rows: Iterable[Record], patient_id: str) -> list[dict[str, str]]:
    """Mother and children of whoever lies here."""
    return [
        {
            "id": str(row["kin"]),
            "role": "mother" if str(row["child_id"]) == patient_id else "child",
            "mrn": row["mother_mrn" if str(row["child_id"]) == patient_id else "child_mrn"],
        }
        for row in rows
    ]


def moment(text: str, exact: int, zone: str, *, end: bool = False) -> int:
    """A time as a person left or changed it in the form; `exact` where it still says the same.

    The end of a span counts with its whole second.
    """
    here = ZoneInfo(zone)
    if text == f"{to_datetime(exact).astimezone(here):{_FIELD}}":
        return exact
    try:
        typed = datetime.strptime(text if text.count(":") > 1 else f"{text}:00", _FIELD)
    except ValueError as error:
        raise MessageError("bad_time", "give date and time") from error
    return from_datetime(typed.replace(tzinfo=here)) + (999_999 if end else 0)


def _when(at: datetime, frame: Frame) -> str:
    return f"{at.astimezone(frame.zone):{_DAY}}"


def _local(at: int, frame: Frame, form: str) -> str:
    return f"{to_datetime(at).astimezone(frame.zone):{form}}"

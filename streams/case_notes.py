"""Ticks, phrases and findings of a case on their way in: checked, and appended to its unit."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from hospital_ops import wire
from hospital_ops.access import Permission, Principal
from hospital_ops.errors import MessageError
from hospital_ops.identity import uuid7
from streams.intake import OWN_CASES_ONLY, Intake

TEXT_MAX: Final = 300
# What each kind of note asks for: of the hospital, and whether a crew may say it of its own case.
_NEEDED: Final[dict[str, tuple[Permission, bool]]] = {
    "readiness": (Permission.ACKNOWLEDGE_CASE, False),
    "pathway": (Permission.ACKNOWLEDGE_CASE, False),
    "message": (Permission.ACKNOWLEDGE_CASE, True),
    "read_back": (Permission.ACKNOWLEDGE_CASE, True),
    "view": (Permission.DECIDE_TRIAGE, False),
    "finding": (Permission.DECIDE_TRIAGE, False),
}


async def note(
    intake: Intake,
    principal: Principal,
    case: str,
    kind: str,
    key: str,
    *,
    text: str = "",
    about: str = "",
    done: bool = True,
    name: str = "",
) -> dict[str, Any]:
    """Appends a note; `{"id", "kind", "key"}` once it is on disk.

    `name` is the sender's own UUID of the note: a repeat does nothing.
    """
    needed, crew_may = _NEEDED[kind]
    own = principal.role in OWN_CASES_ONLY and crew_may
    unit = await intake.case_unit(principal, case, Permission.OPEN_CASE if own else needed)
    now = intake.clock.now_us()
    given = _uuid(name) if name else str(uuid7())
    await intake.appender.append(
        unit,
        wire.CaseNote(
            unit=unit,
            case=_uuid(case),
            note=given,
            kind=kind,
            key=key,
            at=now,
            by=principal.actor,
            role=principal.role.value,
            source=principal.actor,
            received_at=now,
            mode=principal.mode,
            text=text[:TEXT_MAX],
            about=about,
            done=done,
        ),
    )
    return {"id": given, "kind": kind, "key": key}


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as error:
        raise MessageError("bad_id", "a case and a note are named by UUIDs") from error

"""For whom something was filled in: refused where another patient lies in the bed by now.

A form of a bed names in the field `patient` whom its page showed (empty: nobody); one without it
was not made by such a page. Machines may name whom they mean with `patient_id`. What a form of
the record names by its `stay` is checked in the transaction of its act instead.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends, Request

from hospital_ops import events
from hospital_ops.access import Permission, Principal
from hospital_ops.errors import Conflict, MessageError
from web.auth import UNSAFE, signed_in
from web.lying import place_of
from web.reading import unit_of_bed

FIELD: Final = "patient"
ANOTHER: Final = (
    "Another patient lies in this bed now, or nobody: nothing was done."
    " Look who lies here, and enter it anew."
)


async def meant(request: Request, principal: Annotated[Principal, Depends(signed_in)]) -> None:
    """Conflict where what is sent to a bed was meant for somebody who does not lie there now."""
    if request.method not in UNSAFE:
        return
    bed = request.path_params["bed"]
    unit = unit_of_bed(request, bed, principal, Permission.SEE_BOARD)
    whom = await _named(request)
    if whom is not None and whom != place_of(request, unit, bed).patient_id:
        raise Conflict(ANOTHER)


async def _named(request: Request) -> str | None:
    """Whom the request names; None: a machine that names nobody."""
    if "form" in request.headers.get("content-type", ""):
        named = (await request.form()).get(FIELD)
        if not isinstance(named, str):
            raise MessageError("bad_version", "open the page of the bed anew, then enter it again")
        return named
    try:
        sent = events.parse_json(await request.body() or b"{}")
    except MessageError:
        return None  # the route says what is wrong with it
    named = sent.get("patient_id") if isinstance(sent, dict) else None
    return None if named is None else str(named)

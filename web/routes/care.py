"""`POST /update_observations`: the monitor payload of the CARE TeleICU gateway."""

from __future__ import annotations

import ipaddress
from typing import Any

from fastapi import APIRouter, Request

from hospital_ops.access import PERMISSIONS, Permission
from hospital_ops.errors import NotFound
from hospital_ops.hl7.understand import Source
from streams.care_intake import CareIntake, Poster, of_principal, of_source
from web.auth import SignInNeeded, check_origin, identify, web_of

router = APIRouter()


@router.post("/update_observations")
async def update_observations(request: Request) -> dict[str, Any]:
    """Takes the observations of a device with a token, or of a source named by its address.

    A source that is named by its address alone is asked for an origin like a session: a page that
    somebody on that machine has opened must not post for it.
    """
    web = web_of(request)
    intake = CareIntake(web.appender, web.places, web.intake.codebooks, web.clock)
    return await intake.take(await _poster(request), await request.body())


async def _poster(request: Request) -> Poster:
    principal = await identify(request)
    if principal is not None:
        check_origin(request)
        if Permission.SEND_VALUES not in PERMISSIONS[principal.role]:
            raise NotFound("This does not exist, or it is not within your units.")
        return of_principal(principal)
    if "origin" in request.headers:
        raise SignInNeeded
    source = named(request, web_of(request).sources)
    if source is None:
        raise SignInNeeded
    return of_source(source, web_of(request).places)


def named(request: Request, sources: tuple[Source, ...]) -> Source | None:
    """The first source whose networks hold the sender's address."""
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return None
    for source in sources:
        if any(address in ipaddress.ip_network(network) for network in source.networks):
            return source
    return None

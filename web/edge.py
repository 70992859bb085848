"""The box of a unit, as its devices see it: the same ways in as the hospital's, and its state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.requests import HTTPConnection

from hospital_ops import log
from hospital_ops.access import PERMISSIONS, Permission
from hospital_ops.clock import SECOND, Clock
from hospital_ops.errors import MessageError, NotStored
from hospital_ops.forward.roster import Roster
from hospital_ops.forward.sending import Link
from hospital_ops.forward.turned_away import TurnedAwayItems
from hospital_ops.hl7.understand import Source
from streams.edge import EdgeIntake
from web.device_line import AWAY, REVOKED, attend
from web.guard import Guard
from web.routes.care import named

router = APIRouter()
logger = log.get("edge")
FULL_S: Final = 60  # so long after a refusal the box is not ready


@dataclass(slots=True)
class Box:
    """The objects of a box."""

    intake: EdgeIntake
    roster: Roster
    link: Link
    clock: Clock
    sources: tuple[Source, ...] = ()  # that post without a token, named by their address
    turned_away: TurnedAwayItems | None = None

    async def state(self) -> dict[str, Any]:
        """What waits, since when, and how the link is."""
        held, now = await self.intake.shelf.held(), self.clock.now_us()
        refused_at, contact = self.intake.shelf.refused_at, self.link.contact_at
        return {
            "link": "up" if self.link.is_up else "cut",
            "why": self.link.why,
            "last_contact_s": round((now - contact) / SECOND, 1) if contact else None,
            "full": bool(refused_at) and now - refused_at < FULL_S * SECOND,
            "devices": len(self.roster),
            "backlog": {
                "items": held.items,
                "bytes": held.bytes,
                "limit_bytes": held.limit_bytes,
                "share": round(held.share, 4),
                "oldest_age_s": round((now - held.oldest_at) / SECOND, 1) if held.items else None,
                "unreadable": held.beside,
                "turned_away": len(self.turned_away or ()),
            },
            "stored": held.figures.get("stored", 0),
            "kept": held.figures.get("kept", 0),
            "refused": held.figures.get("refused", 0),
        }

    def words(self, state: dict[str, Any]) -> list[str]:
        """What of the state is for a person to look at, in sentences."""
        said = []
        if state["link"] == "cut":
            said.append(f"The hospital is not reached ({state['why']}): what comes waits here.")
        if state["kept"]:
            said.append(
                f"{state['kept']} messages were of no use at the hospital as they are (an unknown"
                " bed, another unit): see /feeds/letters there, by this box's name."
            )
        if state["full"]:
            said.append("There is no room: some messages are refused.")
        return said


def make_box(box: Box) -> FastAPI:
    """The application of a box."""
    app = FastAPI(title="Hospital Ops edge", version="1", openapi_url=None, docs_url=None)
    app.state.box = box
    app.add_middleware(Guard, secure=False, note=_note)
    app.add_exception_handler(MessageError, _refused)
    app.add_exception_handler(NotStored, _not_stored)
    app.include_router(router)
    return app


@router.api_route("/healthz", methods=["GET", "HEAD"])
async def healthz(request: Request) -> dict[str, Any]:
    """The box answers, and how it is."""
    box = _box(request)
    state = await box.state()
    return {"status": "ok"} | state | {"words": box.words(state)}


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """200 while it takes what comes, cut or not; 503 while it has no room."""
    state = await _box(request).state()
    problems = ["There is no room: some messages are refused."] if state["full"] else []
    return JSONResponse(
        {"ready": not problems, "problems": problems}, status_code=503 if problems else 200
    )


@router.get("/metrics")
async def metrics(request: Request) -> PlainTextResponse:
    """The same figures in the text form of Prometheus."""
    state = await _box(request).state()
    backlog = state["backlog"]
    figures = {
        "link_up": int(state["link"] == "up"),
        "last_contact_seconds": state["last_contact_s"],
        "backlog_items": backlog["items"],
        "backlog_bytes": backlog["bytes"],
        "backlog_oldest_seconds": backlog["oldest_age_s"] or 0,
        "unreadable_items": backlog["unreadable"],
        "turned_away_items": backlog["turned_away"],
        "stored_total": state["stored"],
        "kept_total": state["kept"],
        "refused_total": state["refused"],
    }
    lines = [
        f"hospital_ops_edge_{name} {number}"
        for name, number in figures.items()
        if number is not None
    ]
    return PlainTextResponse("\n".join(lines) + "\n")


@router.post("/update_observations")
async def update_observations(request: Request) -> JSONResponse:
    """The payload of the CARE gateway, from a device with a token or a named source."""
    box = _box(request)
    device = box.roster.device(_token(request))
    body = await request.body()
    if device is not None:
        name = device.actor.removeprefix("device:")
        found = await box.intake.take_care(name, device.mode, "", device.bed, body)
        return JSONResponse(found)
    source = named(request, box.sources) if "origin" not in request.headers else None
    if source is None:
        detail = "This box does not know who sends: a token, or a named source, is needed."
        return JSONResponse({"error": "sign_in_needed", "detail": detail}, status_code=401)
    return JSONResponse(await box.intake.take_care(source.name, source.mode, source.zone, "", body))


@router.websocket("/ws/v1/devices")
async def device(socket: WebSocket) -> None:
    """A device for as long as the hospital knows it."""
    box: Box = socket.app.state.box
    principal = box.roster.device(_token(socket))
    if principal is None or "origin" in socket.headers:
        await socket.close(AWAY if not len(box.roster) else REVOKED)
        return
    if Permission.SEND_VALUES not in PERMISSIONS[principal.role]:
        await socket.close(REVOKED)
        return
    await socket.accept()

    async def known() -> bool:
        return box.roster.knows(principal.key)

    await attend(socket, principal, box.intake, box.clock, known)


async def _note(_: HTTPConnection, code: str) -> None:
    logger.warning("refused", code=code)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    code = error.code if isinstance(error, MessageError) else "malformed"
    return JSONResponse({"error": code, "detail": str(error)}, status_code=400)


async def _not_stored(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse(
        {"error": "not_stored", "detail": str(error)},
        status_code=503,
        headers={"Retry-After": "2"},
    )


def _token(connection: Request | WebSocket) -> str:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _box(request: Request) -> Box:
    box: Box = request.app.state.box
    return box

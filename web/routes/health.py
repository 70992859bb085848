"""Whether the process lives, whether all ways work, and the figures for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from hospital_ops.clock import SECOND
from hospital_ops.database import DatabaseGone
from streams.pipe import ReplyError
from web.auth import web_of
from web.state import Web

router = APIRouter()
ROLES = ("gateway", "live", "web")
SILENT_AFTER_US = 10 * SECOND
PROBE_LATE_US = 10 * SECOND


@router.api_route("/healthz", methods=["GET", "HEAD"])
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> JSONResponse:
    """200 when all ways work; else 503 with a sentence for each that does not."""
    problems = await _problems(web_of(request))
    return JSONResponse(
        {"ready": not problems, "problems": problems}, status_code=503 if problems else 200
    )


@router.get("/metrics")
async def metrics(request: Request) -> PlainTextResponse:
    """Figures in the text form of Prometheus; no label carries an id of a person."""
    web = web_of(request)
    now = web.clock.now_us()
    lines = ["# TYPE hospital_ops_board_rev counter"]
    for unit, feed in web.feeds.items():
        lines.append(f'hospital_ops_board_rev{{unit="{unit}"}} {feed.rev}')
    lines.append("# TYPE hospital_ops_probe_age_seconds gauge")
    for unit, feed in web.feeds.items():
        if feed.head is not None and feed.head.probe_at:
            age = (now - feed.head.probe_at) / SECOND
            lines.append(f'hospital_ops_probe_age_seconds{{unit="{unit}"}} {age:.1f}')
    lines.append("# TYPE hospital_ops_seen_total counter")
    for unit, feed in web.feeds.items():
        for what, count in (feed.head.counts if feed.head else {}).items():
            lines.append(f'hospital_ops_seen_total{{unit="{unit}",what="{what}"}} {count}')
    return PlainTextResponse("\n".join(lines) + "\n")


async def _problems(web: Web) -> list[str]:
    problems = []
    now = web.clock.now_us()
    try:
        beats: dict[str, int] = await web.projections.heartbeats()
        for role in ROLES:
            if now - beats.get(role, 0) > SILENT_AFTER_US:
                problems.append(f"No {role} process is at work.")
    except (OSError, ReplyError):
        problems.append("The stream server does not answer: nothing is accepted now.")
    try:
        await web.database.ping()
    except DatabaseGone as error:
        problems.append(str(error))
    problems += _late_probes(web, now)
    return problems


def _late_probes(web: Web, now: int) -> list[str]:
    late = [
        unit
        for unit, feed in web.feeds.items()
        if feed.head is None or now - feed.head.probe_at > PROBE_LATE_US
    ]
    return [f"No probe has come through to the board of {unit}." for unit in late]

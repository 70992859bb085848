"""The crew's tablet: a page that is installed, works without a network and holds no patient itself.

What it needs is one list of files with a version; the service worker keeps them whole, so an
upgrade is there or it is not.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from hospital_ops import codes
from hospital_ops.clinical.tables import own, table
from triage.pathways import PATHWAYS, items_of
from triage.phrases import PHRASES
from web.auth import web_of
from web.words import LANGUAGES, catalogue

router = APIRouter()
STATIC: Final = Path(__file__).parents[1] / "static"
WORKER: Final = STATIC / "js" / "tablet-sw.js"
# What the keypad offers, in the order of the page; limits and units come from codes.json.
TYPED: Final = (
    "hr", "nibp_sys", "nibp_dia", "spo2", "rr", "temp", "glucose", "gcs", "gcs_e", "gcs_v",
    "gcs_m", "avpu", "o2_flow",
)  # fmt: skip


@router.get("/tablet")
async def page(request: Request) -> HTMLResponse:
    """The shell: no words, no patient; everything else happens on the device."""
    web = web_of(request)
    headers = {"Permissions-Policy": "camera=(), microphone=(), geolocation=(self)"}
    return HTMLResponse(web.renderer.fill("tablet.html", demo=web.demo), headers=headers)


@router.get("/tablet/manifest.webmanifest")
async def manifest() -> JSONResponse:
    """What an installer asks for."""
    icon = {"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml"}
    return JSONResponse(
        {
            "name": "Hospital Ops",
            "short_name": "Hospital Ops",
            "id": "/tablet",
            "start_url": "/tablet",
            "scope": "/tablet",
            "display": "standalone",
            "background_color": "#0B0F13",
            "theme_color": "#0B0F13",
            "icons": [icon],
        },
        media_type="application/manifest+json",
    )


@router.get("/tablet/data.json")
async def data() -> Response:
    """The words of both languages and the tables that the page works by."""
    return Response(_data(), media_type="application/json")


@router.get("/tablet/sw.js")
async def worker(request: Request) -> Response:
    """The service worker, with the list of files it keeps and their version."""
    head = f"const VERSION = {json.dumps(_version())};\nconst FILES = {json.dumps(files())};\n"
    return Response(
        head + WORKER.read_text("utf-8"),
        media_type="text/javascript",
        headers={"Service-Worker-Allowed": "/tablet"},
    )


@cache
def files() -> list[str]:
    """Everything the page needs, so that it starts without a network."""
    scripts = sorted(path.name for path in (STATIC / "js").glob("tablet-*.js") if path != WORKER)
    return [
        "/tablet",
        "/tablet/data.json",
        "/tablet/manifest.webmanifest",
        *(f"/static/css/{name}.css" for name in ("tokens", "parts", "tablet")),
        "/static/js/theme.js",
        *(f"/static/js/{name}" for name in scripts),
        "/static/icon.svg",
        "/static/sprite.svg",
        "/static/vendor/InterVariable.woff2",
    ]


@cache
def _version() -> str:
    digest = hashlib.sha256(_data())
    for name in files():
        path = STATIC / name.removeprefix("/static/")
        digest.update(path.read_bytes() if path.is_file() else name.encode())
    shell = Path(__file__).parents[1] / "templates" / "tablet.html"
    digest.update(shell.read_bytes() + WORKER.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _data() -> bytes:
    chosen = (
        "tablet.",
        "colour.",
        "letter.",
        "sex.",
        "care.",
        "time.",
        "ed.suggested",
        "product",
        "desk.state.",
    )
    words = {
        language: {key: said for key, said in catalogue(language).items() if key.startswith(chosen)}
        for language in LANGUAGES
    }
    return json.dumps(
        {"words": words, "vitals": _vitals(), **_chart()}, ensure_ascii=False, sort_keys=True
    ).encode()


def _vitals() -> dict[str, Any]:
    return {
        key: {
            "code": vital.code,
            "unit": "" if vital.ucum == "code" else vital.ucum,
            "plausible": vital.plausible,
            "possible": vital.reject_outside,
            "step": vital.resolution,
        }
        for key, vital in ((key, codes.by_key[key]) for key in TYPED)
    }


def _chart() -> dict[str, Any]:
    chart, named = table("iitt"), own("words")
    red = {age: [row["id"] for row in chart[age]["red"]] for age in ("adult", "child")}
    return {
        "signs": [{"id": row["id"], "charts": row["charts"]} for row in chart["signs"]],
        "red": red,
        "pregnant": [row["id"] for row in chart["adult"]["red_pregnant"]],
        "complaints": [
            {"id": row["id"], "label": row["label"], "ask": row["iitt_ask"]}
            for row in table("complaints")["complaints"]
        ],
        "bands": list(table("safety_net")["age_unknown"]["bands"]),
        "phrases": {
            row["id"]: {name: row[name] for name in ("to", *LANGUAGES)} for row in PHRASES.values()
        },
        "pathways": {
            name: {item["id"]: item["text"] for item in items_of(name)} for name in PATHWAYS
        },
        "clinical": {key: said for key, said in named.items() if isinstance(said, dict)},
    }

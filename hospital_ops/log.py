"""The log: one JSON object a line on stderr, with what is bound to the task and no patient data.

Bind what a whole request or unit shares with `bound(unit=...)`; log ids and codes, never a name, a
phone or a value. Control characters leave as JSON escapes, so no device text can forge a line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any, Final, TextIO

import structlog

LENGTH_MAX: Final = 2000  # of one text; a giant frame is not for the log
# Fields that could only hold what may not be here; a slip is cut out and shows as such.
FORBIDDEN: Final = frozenset(
    {"raw", "name", "family", "given", "phone", "mrn", "birth_date", "password", "token", "value"}
)

_DETAIL: Final = re.compile(r"^(\s*(?:DETAIL|CONTEXT):).*$", re.MULTILINE)

Logger = structlog.stdlib.BoundLogger


def configure(role: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Sends our log and that of libraries to `stream` (stderr), as lines of `role`."""
    target = stream or sys.stderr
    first = (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    )
    last = (
        _with_role(role),
        structlog.processors.format_exc_info,
        _careful,
        structlog.processors.JSONRenderer(serializer=_to_json),
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *first,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=list(first),
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # They tell every request and every query otherwise, with addresses that may hold ids.
    for library in ("asyncio", "httpx2", "httpcore", "websockets", "uvicorn.access", "twilio"):
        logging.getLogger(library).setLevel(logging.WARNING)


def get(name: str) -> Logger:
    """The logger of a module; call it as `log.info("device_lost", device=..., unit=...)`."""
    return structlog.stdlib.get_logger(name)


def bound(**values: str | int) -> AbstractContextManager[Any]:
    """Adds these ids to every line of this task until the block ends."""
    return structlog.contextvars.bound_contextvars(**values)


def _with_role(role: str) -> structlog.typing.Processor:
    def add(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = role
        return event

    return add


def _careful(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Takes out what may not be in a log and shortens what is too long."""
    for key, content in event.items():
        if key in FORBIDDEN:
            event[key] = "(withheld)"
        elif key == "exception":
            # PostgreSQL's details quote the row: "Key (mrn)=(...) already exists".
            event[key] = _DETAIL.sub(r"\1 (withheld)", str(content))
        elif isinstance(content, bytes):
            event[key] = f"({len(content)} bytes)"
        elif isinstance(content, str) and len(content) > LENGTH_MAX:
            event[key] = f"{content[:LENGTH_MAX]} ({len(content)} characters)"
    return event


def _to_json(event: Any, **options: Any) -> str:
    return json.dumps(event, ensure_ascii=True, default=str)

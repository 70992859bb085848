"""The role notify: at work, and silent until the messages to relatives are built."""

from __future__ import annotations

from hospital_ops import database
from hospital_ops.commands.process import Process


async def run(process: Process) -> None:
    """Keeps its heartbeat in PostgreSQL; sends nothing."""
    app = await database.connect(process.settings.database_url, "app", name="notify")
    await process.beat_in_database(app)

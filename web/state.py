"""What a web process holds: handed in by the composition root, reached by every route."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from hospital_ops.access import SessionLimits
from hospital_ops.clock import Clock
from hospital_ops.database import Database
from hospital_ops.hl7.understand import Source
from notify.desk.acts import Desk
from notify.sealing import Keys
from streams.append import Appender
from streams.intake import Intake
from streams.projections import Places, Projections
from streams.relayed import RelayedIntake
from web.boards import Feed
from web.quota import Quotas
from web.render import Renderer
from web.wavefeed import WaveFeed


@dataclass(slots=True)
class Web:
    """The objects of one web process."""

    redis_url: str
    database: Database
    appender: Appender
    projections: Projections
    intake: Intake
    renderer: Renderer
    clock: Clock
    origins: Collection[str]
    secure: bool  # cookies only over https
    demo: bool
    mode: str  # Real, Test, Demo: of what people enter here
    limits: SessionLimits = field(default_factory=SessionLimits)
    places: Places = field(default_factory=Places)
    feeds: dict[str, Feed] = field(default_factory=dict)
    waves: dict[str, WaveFeed] = field(default_factory=dict)  # by unit
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    quotas: Quotas = field(default_factory=Quotas)  # of what is costly, by person and unit
    noted: dict[str, int] = field(default_factory=dict)  # when a crew's reading was last audited
    desk: Desk | None = None  # messages to relatives
    push_hosts: tuple[str, ...] = ()  # push services that the site allows; none: no push
    keys: Keys | None = None  # of numbers and badges; None: neither is known here
    sources: tuple[Source, ...] = ()  # that post without a token, named by their address
    data_dir: Path | None = None  # where sheets for paper are kept; None: nowhere
    public_url: str = ""  # what the SMS provider signs its callbacks over
    twilio_token: str = field(default="", repr=False)
    relayed: RelayedIntake | None = None  # what boxes of units forward; made when one does

    @property
    def cookie_name(self) -> str:
        """`__Host-` where the connection is secure; browsers refuse that prefix elsewhere."""
        return "__Host-session" if self.secure else "session"

    def feed(self, unit: str) -> Feed | None:
        """The board of a unit, or None where there is no such unit."""
        return self.feeds.get(unit)

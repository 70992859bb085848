"""What a board shows: cells as the live reader publishes them, and how a value ages.

A cell carries the moments at which each value turns stale and is withdrawn, so that whoever shows
it (the web process, a page, a test) comes to the same state without asking anybody.
"""

from __future__ import annotations

from typing import Any, Final

from hospital_ops.board_coming import ComingCell
from hospital_ops.board_ed import PlaceCell, RingCell, place_json, ring_json, way_json
from hospital_ops.board_orders import NextOrder as NextOrder
from hospital_ops.board_orders import next_json
from hospital_ops.board_who import KinCell as KinCell
from hospital_ops.board_who import PatientCell as PatientCell
from hospital_ops.board_who import patient_json
from hospital_ops.clock import TENTH, iso
from hospital_ops.wire import Form, Verdict, decoder, field, replaced


class Shown(Form, frozen=True):
    """A value on a board, with what is needed to know whether it may be believed."""

    value: float | str | None
    unit: str
    at: int  # event time, microseconds since 1970 UTC
    kind: str = "continuous"  # continuous, cyclic, spot (clinical/observation_classes.json)
    amber_at: int = 0  # from here on stale; 0: by age alone never
    gone_at: int = 0  # from here on withdrawn; 0: never
    validity: str = "Vld"
    mapped: bool = True
    text: str = ""  # the sender's name of an unmapped code
    mode: str = "Real"
    reason: str = ""
    origin: str = "monitor"
    event: str = ""  # of a case: the id its sender gave it, under which it is taken back
    channel: str = ""  # containment or probe, as of the observation
    code: str = ""  # the sender's own, of an unmapped value


class CallCell(Form, frozen=True):
    """Somebody who was called for an alarm."""

    post: str  # nurse, second, physician, charge; unit: nobody is on duty, every board
    who: str
    at: int
    read_at: int = 0  # has opened the bed or taken it on; 0: not yet


class AlarmCell(Form, frozen=True):
    """An alarm condition on a board."""

    id: str
    priority: str  # high, medium, low
    code: str
    text: str
    state: str  # active, acknowledged, latched
    since: int
    about: str = ""  # code of the value it is about
    value: float | None = None  # the last one beyond the limit
    limit: float | None = None
    unit: str = ""
    sign: str = ""  # between value and limit: <, > or ≥
    paused_until: int = 0  # the sound is off until then
    burst_at: int = 0  # the full burst begins, and goes on while active and not paused
    reminded_at: int = 0  # one short burst
    merged_into: str = ""  # another alarm of the same value rings for this one; it is listed
    device: str = ""  # who sent it; empty: our own
    acknowledged_at: int = 0
    acknowledged_by: str = ""
    painted_at: int = 0  # a board of the unit has confirmed that it shows it; 0: none yet
    verdict: Verdict | None = None  # what the other signals make of it; it rings all the same
    called: tuple[CallCell, ...] = ()
    next_posts: tuple[str, ...] = ()  # who is called next, and when; empty: nobody any more
    next_at: int = 0
    story: str = ""  # the alarm that leads its story; empty: it leads, or stands alone
    limit_by: str = ""  # who approved the limit or delay; empty: the table's start value
    delay_s: float | None = None  # the delay, where a site has set limit or delay


class QuietCell(Form, frozen=True):
    """Why the alarms of a bed make no sound: it has an end, and the board shows it."""

    kind: (
        str  # standby, comfort, closed; comfort_asked: waits for a second person, silences nothing
    )
    since: int
    until: int
    by: str
    confirmed_by: str = ""
    reason: str = ""


class DeviceLimits(Form, frozen=True):
    """The alarm limits that a device at the bed has told of one code, in the unit of the value."""

    low: float | None
    high: float | None
    at: int  # when it last said so
    device: str = ""


class SupportCell(Form, frozen=True):
    """What supports the circulation of whoever lies here, as somebody has said."""

    words: tuple[str, ...]  # iabp, ecmo, lvad, pacing, compressions; empty: none of them
    by: str
    at: int


class BedCell(Form, frozen=True):
    """One bed of the intensive care board."""

    bed: str
    label: str
    patient: PatientCell | None
    values: dict[str, Shown]
    alarms: tuple[AlarmCell, ...] = ()
    orders: dict[str, int] = field(default_factory=dict)
    indicators: dict[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()  # check_patient, displaced, patient_not_confirmed, demo ...
    mode: str = "Real"
    device: str = ""
    aged_at: int = 0  # when a value last turned stale or was withdrawn
    quiets: tuple[QuietCell, ...] = ()
    trends: dict[str, str] = field(default_factory=dict)  # code: fast_up, up, down, fast_down
    device_limits: dict[str, DeviceLimits] = field(default_factory=dict)  # by code
    support: SupportCell | None = None  # None: nobody has said, or not in this shift
    kin: tuple[KinCell, ...] = ()
    refilings: int = 0  # proposed by a late ADT, and nobody has decided
    next_order: NextOrder | None = None  # of `orders`: the next one due
    lies_since: int = 0  # when the patient came to this bed; what was measured before is not theirs


class DecisionCell(Form, frozen=True):
    """A physician's triage decision beside the proposal."""

    colour: str
    by: str
    at: int
    version: int
    reason: str = ""
    destination: str = ""
    care: tuple[str, ...] = ()


class CaseCell(Form, frozen=True):
    """One pre-arrival case of the emergency board."""

    case: str
    facts: dict[str, Any]
    values: dict[str, Shown]
    triage: dict[str, Any]  # as the command `triage` answers
    decision: DecisionCell | None = None
    acknowledgements: tuple[dict[str, Any], ...] = ()
    ecgs: tuple[dict[str, Any], ...] = ()
    step: str = "coming"  # coming, arrived, handed_over, cancelled
    opened_at: int = 0
    changed_at: int = 0
    version: int = 0  # counts decisions
    mode: str = "Real"
    warnings: tuple[str, ...] = ()
    eta: int | None = None
    reopened_at: int = 0  # something new since the decision asks for more; 0: it stands
    reopened_for: tuple[str, ...] = ()  # codes of the new reasons
    items: tuple[dict[str, Any], ...] = ()  # treatments, limits and notes of the crew, oldest first
    seen: dict[str, Any] | None = None  # by whom, when, and up to which moment of the stream
    joined: tuple[str, ...] = ()  # cases that were found to be this one
    arrived_at: int = 0
    taken_over_at: int = 0
    taken_over_by: str = ""
    untaken: bool = False  # arrived a while ago, and nobody has taken over
    call: RingCell | None = None  # rings until somebody has heard
    readiness: dict[str, dict[str, Any]] = field(default_factory=dict)  # by pathway
    places: tuple[PlaceCell, ...] = ()
    messages: tuple[dict[str, Any], ...] = ()  # preset phrases with their read-back
    view: dict[str, Any] = field(default_factory=dict)  # the physician's own: by, at, text
    findings: dict[str, bool] = field(default_factory=dict)  # looked for: present or absent
    signed: dict[str, Any] = field(default_factory=dict)  # the hand-over sheet: by, at, version
    ended_for: str = ""  # the reason that was given with the end
    rerouted: dict[str, Any] = field(default_factory=dict)  # to or from where, by, at, reason
    arrivals: dict[str, str] = field(default_factory=dict)  # crew, position, department: when
    eta_range: tuple[int, int] | None = None  # earliest and latest, of an estimate from positions
    not_shown: dict[str, int] = field(default_factory=dict)  # values by why: clock, mode
    gone: tuple[str, ...] = ()  # ids of what was withdrawn, or moved to another case


class Head(Form, frozen=True):
    """What belongs to the whole unit: the last probe that came through the real path."""

    unit: str
    probe_at: int = 0
    # refused, unknown codes, dead letters ... as the unit saw them
    counts: dict[str, int] = field(default_factory=dict)
    alarms: tuple[AlarmCell, ...] = ()  # of no bed: the way of the data itself
    ring: tuple[str, ...] = ()  # ED: words of the crew for which a red rings
    calls: tuple[tuple[int, bool], ...] = ()  # ED, the last day: when, and whether it was used
    settings: int = 0  # version of the unit's settings
    coming: tuple[ComingCell, ...] = ()  # ICU: transfers on their way
    ecg_analysis: bool = True  # ICU: whether we look at the live ECG ourselves
    refilings: int = 0  # ICU: proposed by late ADT events, and nobody has decided


# A bed's indicators are a cell of their own (a BedCell with nothing else): they change once in a
# while, and the bed with every value. A board of the version before has them in the bed's cell.
INDICATORS: Final = "/indicators"


def with_indicators(bed: BedCell, cell: BedCell | None) -> BedCell:
    """The bed with what came in a cell of its own: indicators, limits of its devices."""
    if cell is None:
        return bed
    return replaced(bed, indicators=cell.indicators, device_limits=cell.device_limits)


decode_bed = decoder(BedCell)
decode_case = decoder(CaseCell)
decode_head = decoder(Head)

HEAD = "head"  # field of the unit's head beside its beds or cases


def state_of(shown: Shown, now_us: int) -> str:
    """live, stale, withdrawn, spot, invalid or unmapped, at the server's time `now_us`."""
    if shown.validity == "Inv":
        return "invalid"
    if shown.kind == "spot":
        return "spot"
    if shown.gone_at and now_us >= shown.gone_at:
        return "withdrawn"
    if shown.amber_at and now_us >= shown.amber_at:
        return "stale"
    return "live" if shown.mapped else "unmapped"


def value_json(shown: Shown, now_us: int) -> dict[str, Any]:
    """The public form of a value (DESIGN.md section 4); a withdrawn live value has no number."""
    state = state_of(shown, now_us)
    hidden = state == "invalid" or (state == "withdrawn" and shown.kind == "continuous")
    view: dict[str, Any] = {
        "value": None if hidden else shown.value,
        "unit": shown.unit,
        "determined_at": iso(shown.at),
        "age_s": (max(0, now_us - shown.at) + TENTH // 2) // TENTH / 10,
        "state": state,
        "mode": shown.mode,
    }
    if shown.text:
        view["text"] = shown.text
    return view


def waits_for_board(alarm: AlarmCell) -> bool:
    """Whether a red rings that no board of the unit has confirmed as painted (SAFETY I8)."""
    return (
        alarm.priority == "high" and alarm.state in ("active", "latched") and not alarm.painted_at
    )


def alarm_json(alarm: AlarmCell) -> dict[str, Any]:
    """The public form of an alarm; times are null where nothing of the kind has happened."""
    return {
        "id": alarm.id,
        "priority": alarm.priority,
        "code": alarm.code,
        "text": alarm.text,
        "state": alarm.state,
        "since": iso(alarm.since),
        "about": alarm.about,
        "value": alarm.value,
        "limit": alarm.limit,
        "unit": alarm.unit,
        "comparator": alarm.sign,
        "paused_until": _iso_or_none(alarm.paused_until),
        "burst_at": _iso_or_none(alarm.burst_at),
        "reminded_at": _iso_or_none(alarm.reminded_at),
        "acknowledged_at": _iso_or_none(alarm.acknowledged_at),
        "merged_into": alarm.merged_into or None,
        "device": alarm.device or None,
        "painted_at": _iso_or_none(alarm.painted_at),
        "story": alarm.story or None,
        "verdict": verdict_json(alarm.verdict),
        "called": [
            {
                "post": call.post,
                "who": call.who or None,
                "at": iso(call.at),
                "read_at": _iso_or_none(call.read_at),
            }
            for call in alarm.called
        ],
        "next_call": {"posts": list(alarm.next_posts), "at": iso(alarm.next_at)}
        if alarm.next_posts
        else None,
    }


def quiet_json(quiet: QuietCell) -> dict[str, Any]:
    """The public form of a silence of a whole bed."""
    return {
        "kind": quiet.kind, "since": iso(quiet.since), "until": iso(quiet.until), "by": quiet.by,
        "confirmed_by": quiet.confirmed_by or None, "reason": quiet.reason or None,
    }  # fmt: skip


def verdict_json(verdict: Verdict | None) -> dict[str, Any] | None:
    """The public form of what the other signals make of an alarm."""
    if verdict is None:
        return None
    reasons = [{"code": r.code, "source": r.source, "value": r.value} for r in verdict.reasons]
    return {"word": verdict.word, "reasons": reasons, "sources": verdict.sources}


def _iso_or_none(at: int) -> str | None:
    return iso(at) if at else None


def bed_json(cell: BedCell, now_us: int) -> dict[str, Any]:
    """One bed of the public ICU snapshot."""
    patient = cell.patient
    return {
        "bed": cell.bed,
        "label": cell.label,
        "patient_id": patient.patient_id if patient else None,
        "patient": patient_json(patient),
        "values": {code: value_json(shown, now_us) for code, shown in cell.values.items()},
        "alarms": [alarm_json(alarm) for alarm in cell.alarms],
        "orders": {"due": 0, "overdue": 0, "active": 0} | cell.orders,
        "next_order": next_json(cell.next_order),
        "indicators": cell.indicators,
        "trends": cell.trends,
        "flags": list(cell.flags),
        "quiet": [quiet_json(quiet) for quiet in cell.quiets],
        "support": cell.support and _support_json(cell.support),
        "mode": cell.mode,
    }


def _support_json(support: SupportCell) -> dict[str, Any]:
    return {"words": list(support.words), "by": support.by, "at": iso(support.at)}


# Facts that name somebody: a board tells initials at most.
PERSON: Final = ("family", "given", "birth_date")


def _decision_json(decision: DecisionCell) -> dict[str, Any]:
    return {
        "colour": decision.colour, "by": decision.by, "at": iso(decision.at),
        "version": decision.version, "reason": decision.reason,
        "destination": decision.destination, "care": list(decision.care),
    }  # fmt: skip


def case_json(cell: CaseCell, now_us: int) -> dict[str, Any]:
    """One case of the public ED snapshot, also the answer of `GET .../prearrivals/{uuid}`."""
    decision, taken_over = cell.decision, (cell.taken_over_by, cell.taken_over_at)
    return {
        "id": cell.case,
        "version": cell.version,
        "eta": iso(cell.eta) if cell.eta is not None else None,
        "step": cell.step,
        "facts": {key: said for key, said in cell.facts.items() if key not in PERSON},
        "proposed": cell.triage.get("proposed", "incomplete"),
        "decided": decision.colour if decision else None,
        "decided_by": decision.by if decision else None,
        "decision": None if decision is None else _decision_json(decision),
        "reopened": {"at": iso(cell.reopened_at), "reasons": list(cell.reopened_for)}
        if cell.reopened_at
        else None,
        "reasons": cell.triage.get("reasons", []),
        "triage": cell.triage,
        "values": {code: value_json(shown, now_us) for code, shown in cell.values.items()},
        "ecgs": list(cell.ecgs),
        "acknowledgements": list(cell.acknowledgements),
        "items": list(cell.items),
        "seen": cell.seen,
        "joined": list(cell.joined),
        "warnings": list(cell.warnings),
        "mode": cell.mode,
        "arrived_at": _iso_or_none(cell.arrived_at),
        "nobody_took_over": cell.untaken,
        "call": ring_json(cell.call),
        "places": [place_json(place) for place in cell.places],
        "messages": list(cell.messages),
        "ended_for": cell.ended_for,
        "not_shown": cell.not_shown,
        **way_json(cell.rerouted, cell.arrivals, cell.eta_range, taken_over),
    }

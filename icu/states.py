"""The states of an alarm as one table, after `machine` of `clinical/tables/alarms.json`.

inactive -> active -> acknowledged -> inactive, and active -> latched where the signals go on
after the condition has ended. Three events are ours: `lost` (the condition can no longer be seen:
the value was withdrawn, or the patient has left), `worse` (a red one got worse by a step of the
table) and `close` (a physician has recorded the patient's death). A red that nobody has
acknowledged is never ended by `lost`: its signals go on.
An audio pause is beside the state, has an end from the start, and never changes the state.
"""

from __future__ import annotations

from typing import Final

INACTIVE, ACTIVE, ACKNOWLEDGED, LATCHED = "inactive", "active", "acknowledged", "latched"

# (state, event) -> (where the signals end with the condition, where they go on after it)
NEXT: Final[dict[tuple[str, str], tuple[str, str]]] = {
    (INACTIVE, "true"): (ACTIVE, ACTIVE),
    (ACTIVE, "true"): (ACTIVE, ACTIVE),
    (ACTIVE, "false"): (INACTIVE, LATCHED),
    (ACTIVE, "lost"): (INACTIVE, LATCHED),
    (ACTIVE, "worse"): (ACTIVE, ACTIVE),
    (ACTIVE, "acknowledge"): (ACKNOWLEDGED, ACKNOWLEDGED),
    (ACKNOWLEDGED, "true"): (ACKNOWLEDGED, ACKNOWLEDGED),
    (ACKNOWLEDGED, "false"): (INACTIVE, INACTIVE),
    (ACKNOWLEDGED, "lost"): (INACTIVE, INACTIVE),
    (ACKNOWLEDGED, "worse"): (ACTIVE, ACTIVE),
    (ACKNOWLEDGED, "acknowledge"): (ACKNOWLEDGED, ACKNOWLEDGED),
    (LATCHED, "true"): (ACTIVE, ACTIVE),
    (LATCHED, "false"): (INACTIVE, LATCHED),
    (LATCHED, "lost"): (LATCHED, LATCHED),
    (LATCHED, "worse"): (ACTIVE, ACTIVE),
    (LATCHED, "acknowledge"): (INACTIVE, INACTIVE),
    (ACTIVE, "close"): (INACTIVE, INACTIVE),
    (ACKNOWLEDGED, "close"): (INACTIVE, INACTIVE),
    (LATCHED, "close"): (INACTIVE, INACTIVE),
}


def after(state: str, event: str, *, latching: bool, red: bool) -> str:
    """The state after an event; `inactive` means that the alarm has ended.

    What is lost latches where it is red, whatever its rule says.
    """
    goes_on = latching or (event == "lost" and red)
    return NEXT[state, event][1 if goes_on else 0]

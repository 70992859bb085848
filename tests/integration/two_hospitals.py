"""Two hospitals with an ICU and an emergency department each, so that isolation can be seen."""

from hospital_ops import access, accounts
from hospital_ops.access import Role, Scope
from hospital_ops.clock import SECOND
from hospital_ops.database import Database
from hospital_ops.installation import store as installation

NOW = 1_772_359_200 * SECOND
PASSWORD = "correct horse battery"
ADMIN = {
    hospital: Scope(hospital, access.ALL_UNITS, "administrator", "set-up")
    for hospital in ("h1", "h2")
}
UNITS = {"h1": ("h1-icu-1", "h1-ed"), "h2": ("h2-icu-1", "h2-ed")}


async def furnish(app: Database) -> None:
    """Makes both hospitals, their units with three beds each, a nurse and a tablet."""
    for hospital, by in ADMIN.items():
        async with app.transaction(by) as connection:
            await installation.ensure_hospital(connection, by, f"Hospital {hospital}", NOW)
            for unit, kind in zip(UNITS[hospital], ("icu", "ed"), strict=True):
                await installation.ensure_unit(connection, by, unit, kind, unit, NOW)
                beds = [(f"{unit}-{number:02}", str(number)) for number in range(1, 4)]
                await installation.ensure_beds(connection, by, unit, beds, NOW)
            tablet = f"{hospital}-tablet-1"
            await installation.ensure_device(connection, by, tablet, "tablet", "Demo", NOW)
            await accounts.ensure_account(
                connection, by, f"nurse.{hospital}", Role.NURSE, PASSWORD, NOW
            )

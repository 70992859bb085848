"""Stays of challenge2012_icu as readings of the archive, for the golden texts.

`python -m tests.unit.notify_stays` prints the lines that stand at the end of docs/relatives.md.
"""

import csv
import gzip
import os
from collections import defaultdict
from pathlib import Path

from hospital_ops.clock import SECOND, from_iso
from notify import condition, dynamics, figures, text
from notify.figures import Reading

HOUR = 3600 * SECOND
START = from_iso("2026-03-01T05:00:00Z")  # 08:00 in Moscow: the stay begins
RECORDINGS = Path(
    os.environ.get("HOSPITAL_OPS_RECORDINGS", Path(__file__).parents[3] / "shared" / "data")
)
CODES = {
    "HR": ("8867-4", 1.0), "SysABP": ("76215-3", 1.0), "DiasABP": ("76213-8", 1.0),
    "MAP": ("76214-6", 1.0), "NISysABP": ("8480-6", 1.0), "NIDiasABP": ("8462-4", 1.0),
    "NIMAP": ("8478-0", 1.0), "Temp": ("8310-5", 1.0), "GCS": ("9269-2", 1.0),
    "RespRate": ("9279-1", 1.0), "FiO2": ("3150-0", 100.0), "PaO2": ("2703-7", 1.0),
    "Creatinine": ("14682-9", 88.4), "Bilirubin": ("14631-6", 17.1), "Platelets": ("777-3", 1.0),
    "SaO2": ("59408-5", 1.0),
}  # fmt: skip
SEVERITIES = ("serious", "critical", "moderate", "satisfactory")


def stays(count: int) -> dict[str, tuple[str, list[Reading]]]:
    """The first `count` stays: record id to (sex, readings), charted values as typed ones."""
    readings: dict[str, list[Reading]] = defaultdict(list)
    sexes: dict[str, str] = {}
    path = RECORDINGS / "challenge2012_icu" / "records.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            record, name, value = row["RecordID"], row["Parameter"], float(row["Value"])
            if record not in sexes and len(sexes) == count and name == "RecordID":
                break
            if name == "Gender":
                sexes[record] = {0.0: "F", 1.0: "M"}.get(value, "unknown")
            if name == "RecordID":
                sexes.setdefault(record, "unknown")
            hours, minutes = map(int, row["Time"].split(":"))
            at = START + hours * HOUR + minutes * 60 * SECOND
            if name == "MechVent":
                readings[record].append(
                    Reading(code="20124-4", value="invasive", at=at, origin="typed")
                )
            elif name in CODES:
                code, factor = CODES[name]
                readings[record].append(
                    Reading(code=code, value=value * factor, at=at, origin="typed")
                )
    return {record: (sexes[record], readings[record]) for record in list(sexes)[:count]}


def message(record: str, sex: str, readings: list[Reading], language: str, hour: int = 48) -> str:
    """The text of a stay at `hour`; the physician's word follows from the record's number."""
    now = START + hour * HOUR
    fit = figures.usable(readings, "Real", now)
    course = dynamics.assess(fit, now, START)
    day = text.Day(
        figures=figures.figures(readings, "Real", now),
        consciousness=condition.consciousness(fit, now),
        breathing=condition.breathing(fit, now),
        severity=SEVERITIES[int(record) % len(SEVERITIES)],
        dynamics=course["dynamics"],
        as_of=now,
        zone="Europe/Moscow",
        sex=sex,
        left_out=figures.left_out(readings, "Real", now),
    )
    return text.compose(day, language).text


def lines(count: int) -> list[str]:
    """The texts of the first `count` stays as the document has them, in both languages."""
    return [
        f"- {language} {record}: {message(record, sex, readings, language)}"
        for record, (sex, readings) in stays(count).items()
        for language in ("ru", "en")
    ]


if __name__ == "__main__":
    print("\n".join(lines(40)))

"""The program `hospital-ops`: finds the command and hands it the rest of the line."""

from __future__ import annotations

import importlib
import sys
from typing import Final

COMMANDS: Final = {
    "demo": "the whole house on this machine, with simulated devices",
    "serve": "a role, all, or a unit's box: serve gateway|live|store|web|notify|all|edge",
    "migrate": "bring the database to this version",
    "retention": "what is older than the site keeps it: --dry-run, --delete, hold, release, holds",
    "letters": "what could not be used: letters list|show|try",
    "doctor": "say what is wrong with configuration, servers, clock, disk",
    "unit": "hospitals, units and beds: unit hospital|add|list",
    "user": "accounts: user add|password|disable|list",
    "device": "devices and their tokens: device add|token|revoke|list",
    "simulate": "devices against any address: simulate monitor|curves|vehicle|ambulance|ward",
    "ecg": "an ECG file: ecg beats|analyse FILE",
    "score": "clinical scores: JSON lines in, JSON lines out",
    "triage": "triage proposals: JSON lines in, JSON lines out",
    "bench": "the figures of GOALS.md, each beside its limit or peer",
}


def main(argv: list[str] | None = None) -> int:
    """Runs the command that the line names; 2 where there is none of that name."""
    line = sys.argv[1:] if argv is None else argv
    name = line[0] if line else "--help"
    if name not in COMMANDS:
        print("usage: hospital-ops COMMAND ...\n")
        for command, what in COMMANDS.items():
            print(f"  {command:10} {what}")
        return 0 if name in ("-h", "--help") else 2
    module = importlib.import_module(f"hospital_ops.commands.{name}")
    status: int = module.main(line[1:])
    return status


if __name__ == "__main__":
    sys.exit(main())

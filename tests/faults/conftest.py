"""One program for all faults of a run: what one fault leaves behind meets the next."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.program_help import Figures, Program


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The house, started; `await program.wait_ready()` before use."""
    program = Program(tmp_path_factory.mktemp("faults") / "data")
    program.data.mkdir()
    program.start()
    yield program
    program.stop()


@pytest.fixture(scope="session")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    """Where the figures of the run are written down."""
    path: Path = tmp_path_factory.mktemp("figures") / "faults.jsonl"
    print(f"figures: {path}")
    return Figures(path)

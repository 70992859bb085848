"""The plan of the house, held: who may import whom, and what may live where.

The tables come first; to give a library a place, add it here and write a page in docs/decisions/.
"""

import ast
import sys
import tomllib
from typing import Final

import pytest

import dev
from tests.house import (
    ROOT,
    called,
    imports,
    is_sql,
    lies_in,
    name,
    nodes,
    python_files,
    strings,
    tree,
)

# The composition root sees every folder, and only the composition root sees the composition root.
COMPOSITION_ROOT: Final = ("hospital_ops/__main__.py", "hospital_ops/commands/")

MAY_IMPORT: Final[dict[str, set[str]]] = {
    "hospital_ops": set(),
    "streams": {"hospital_ops"},
    "triage": {"hospital_ops", "streams"},
    "icu": {"hospital_ops", "streams"},
    "notify": {"hospital_ops", "streams"},
    "web": {"hospital_ops", "streams", "triage", "icu", "notify"},
    "simulators": {"hospital_ops"},
}

# Outside library -> the file, or the folder (it ends with a slash), in which it is imported.
LIVES_IN: Final = {
    "aiohttp": "notify/providers/twilio.py",
    "argon2": "hospital_ops/access.py",
    "asyncpg": "hospital_ops/database.py",
    "cryptography": "hospital_ops/",  # sealing.py and webpush.py
    "defusedxml": "hospital_ops/ecg/files/",
    "edfio": "hospital_ops/ecg/files/",
    "fastapi": "web/",
    "hiredis": "streams/",
    "httpx2": "simulators/",
    "jinja2": "web/",
    "msgspec": "hospital_ops/wire_forms.py",
    "numpy": "hospital_ops/ecg/",
    "phonenumbers": "notify/",
    "pydantic": "hospital_ops/settings.py",
    "pydantic_settings": "hospital_ops/settings.py",
    "pydicom": "hospital_ops/ecg/files/",
    "redis": "streams/",
    "scipy": "hospital_ops/ecg/",
    "starlette": "web/",
    "structlog": "hospital_ops/log.py",
    "twilio": "notify/providers/twilio.py",
    "websockets": "simulators/",
}
# Libraries that live in one file, wherever that file is.
ONE_FILE: Final = {"prometheus_client", "segno", "uvicorn", "uvloop"}

SQL_LIVES_IN: Final = (
    "hospital_ops/accounts.py",
    "hospital_ops/audit.py",
    "hospital_ops/outbox.py",
    "hospital_ops/database.py",
    "hospital_ops/migrations/",
    "streams/archive.py",
    "streams/relay.py",
)

# What only `store.py` may do in `triage` and `icu`: the same input gives the same answer.
IMPURE_MODULES: Final = {
    "asyncio", "http", "logging", "os", "random", "secrets", "select", "shutil", "signal",
    "socket", "ssl", "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip
IMPURE_CALLS: Final = {"now", "utcnow", "today", "uuid1", "uuid4", "uuid7", "open", "print"}


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_folder_imports_only_what_the_house_plan_allows(folder: str) -> None:
    offences = []
    for path in python_files(folder):
        if lies_in(path, COMPOSITION_ROOT):
            continue
        for line, module in imports(path):
            top = module.split(".")[0]
            outsider = top in MAY_IMPORT and top not in MAY_IMPORT[folder] | {folder}
            if outsider or top in ("tests", "benchmarks", "dev"):
                offences.append(f"{name(path)}:{line} imports {module}")
    assert not offences, "\n".join(offences)


def test_nobody_imports_the_composition_root() -> None:
    inside = ("hospital_ops.__main__", "hospital_ops.commands")
    offences = [
        f"{name(path)}:{line} imports {module}"
        for path in python_files(*MAY_IMPORT)
        if not lies_in(path, COMPOSITION_ROOT)
        for line, module in imports(path)
        if module.startswith(inside)
    ]
    assert not offences, "\n".join(offences)


def test_every_outside_library_lives_where_the_plan_says() -> None:
    offences = []
    for path in python_files(*MAY_IMPORT):
        for line, module in imports(path):
            library = module.split(".")[0]
            if library in sys.stdlib_module_names | MAY_IMPORT.keys() | ONE_FILE:
                continue
            place = LIVES_IN.get(library)
            if place is None:
                offences.append(f"{name(path)}:{line} {library} has no place in the house plan")
            elif not lies_in(path, (place,)):
                offences.append(f"{name(path)}:{line} {library} lives in {place}")
    assert not offences, "\n".join(sorted(set(offences)))


@pytest.mark.parametrize("library", sorted(ONE_FILE))
def test_a_library_outside_the_plan_is_imported_by_one_file_only(library: str) -> None:
    users = {
        name(path)
        for path in python_files(*MAY_IMPORT)
        for _, module in imports(path)
        if module.split(".")[0] == library
    }
    assert len(users) <= 1, f"{library} is imported by {sorted(users)}"


def test_a_package_file_is_a_sign_on_the_door() -> None:
    offences = [
        name(path)
        for path in python_files(*MAY_IMPORT)
        if path.name == "__init__.py"
        and not (len(tree(path).body) == 1 and ast.get_docstring(tree(path)))
    ]
    assert not offences, f"more, or less, than a docstring: {offences}"


def test_an_oracle_of_the_tests_shares_no_code_with_what_it_judges() -> None:
    offences = [
        f"{name(path)}:{line} imports {module}"
        for path in python_files("tests")
        if "oracle" in path.stem
        for line, module in imports(path)
        if module.split(".")[0] in MAY_IMPORT
    ]
    assert not offences, "\n".join(offences)


def test_sql_stands_only_in_the_files_of_the_plan() -> None:
    offences = [
        f"{name(path)}:{text.lineno} {str(text.value).strip()[:60]!r}"
        for path in python_files(*MAY_IMPORT)
        if path.name != "store.py" and not lies_in(path, SQL_LIVES_IN)
        for text in strings(path)
        if is_sql(str(text.value))
    ]
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize("folder", ["triage", "icu"])
def test_deciding_is_pure(folder: str) -> None:
    offences = [
        f"{name(path)}:{line} imports {module}"
        for path in python_files(folder)
        if path.name != "store.py"
        for line, module in imports(path)
        if module.split(".")[0] in IMPURE_MODULES
    ]
    offences += [
        f"{name(path)}:{node.lineno} calls {called(node)}()"
        for path, node in nodes(folder)
        if path.name != "store.py" and isinstance(node, ast.Call) and called(node) in IMPURE_CALLS
    ]
    assert not offences, "\n".join(offences)


def test_every_test_lies_in_a_stage_that_is_run() -> None:
    stages = [ROOT / "tests" / stage for stage in dev.STAGES]
    lost = [
        name(path)
        for path in python_files("tests")
        if path.name.startswith("test_") and not any(path.is_relative_to(stage) for stage in stages)
    ]
    assert not lost, f"`dev.py test` would never run {lost}"


def test_the_wheel_carries_the_folders_of_the_plan() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(packages) == sorted(MAY_IMPORT) == sorted(dev.FOLDERS)

"""What is decided about servers without touching one: pauses, modes, words."""

import pytest

from hospital_ops.servers.errors import DataDirectoryRefusedError
from hospital_ops.servers.placement import Mode, choose_mode
from hospital_ops.servers.process import describe
from hospital_ops.servers.restart import failures_after, pause_s


def test_a_child_that_ends_for_the_first_time_is_started_again_at_once() -> None:
    assert pause_s(failures_after(0, up_s=0.2), longest_s=2.0) == 0.0


def test_a_child_that_keeps_ending_waits_longer_each_time_up_to_the_limit() -> None:
    pauses = [pause_s(failures, longest_s=2.0) for failures in (2, 3, 4, 5, 6, 7, 100_000)]
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


def test_ten_seconds_of_life_make_the_next_end_the_first_one_again() -> None:
    assert failures_after(7, up_s=9.9) == 8
    assert failures_after(7, up_s=10.0) == 1


@pytest.mark.parametrize(
    ("kept", "is_root", "namespace", "expected"),
    [
        (None, False, False, Mode.SELF),
        (Mode.SELF, False, True, Mode.SELF),
        (None, True, True, Mode.NAMESPACE),
        (None, True, False, Mode.NOBODY),
        (Mode.NAMESPACE, True, True, Mode.NAMESPACE),
        (Mode.NOBODY, True, True, Mode.NOBODY),
    ],
)
def test_postgresql_runs_as_root_never_and_as_its_data_were_made_always(
    kept: Mode | None, is_root: bool, namespace: bool, expected: Mode
) -> None:
    assert choose_mode(kept, is_root=is_root, namespace_works=lambda: namespace) is expected


@pytest.mark.parametrize(
    ("kept", "is_root", "what_to_do"),
    [
        (Mode.NAMESPACE, False, "Start as root"),
        (Mode.NOBODY, False, "Start as root"),
        (Mode.SELF, True, "Start as that user"),
        (Mode.NAMESPACE, True, "Allow user namespaces"),
    ],
)
def test_data_made_in_another_way_are_refused_with_what_to_do(
    kept: Mode, is_root: bool, what_to_do: str
) -> None:
    with pytest.raises(DataDirectoryRefusedError, match=what_to_do):
        choose_mode(kept, is_root=is_root, namespace_works=lambda: False)


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "ended with 0"), (-9, "was killed by SIGKILL"), (-64, "was killed by signal 64")],
)
def test_an_exit_status_is_told_in_words(status: int, words: str) -> None:
    assert describe(status).startswith(words.split(" signal ")[0])

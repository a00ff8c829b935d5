"""Two jobs at once: both run, both end, an error comes out; one after the other where two kernels may not start at once."""

from __future__ import annotations

import threading

import pytest

from lowkey import together
from lowkey.together import both


@pytest.fixture(autouse=True)
def openmp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "threading_layer", lambda: "omp")


def test_two_jobs_run_at_the_same_time_and_answer_in_order() -> None:
    met = threading.Barrier(2, timeout=10)

    def one() -> str:
        met.wait()
        return "one"

    def other() -> str:
        met.wait()
        return "other"

    assert both(one, other) == ("one", "other")


@pytest.mark.parametrize("first", [True, False])
def test_an_error_comes_out_when_both_have_ended(first: bool) -> None:
    done: list[str] = []

    def wrong() -> None:
        raise KeyError("wrong")

    def right() -> None:
        done.append("right")

    with pytest.raises(KeyError, match="wrong"):
        both(*((wrong, right) if first else (right, wrong)))
    assert done == ["right"]


def test_one_after_the_other_where_two_kernels_may_not_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "threading_layer", lambda: "workqueue")
    assert both(threading.get_ident, threading.get_ident) == (threading.get_ident(),) * 2

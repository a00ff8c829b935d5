"""Noise into everything that reads what strangers wrote (`fuzzing.py`): an answer, or a refusal that is one of ours.

Bounded here, with hypothesis; `make soak` runs the fuzzer that is guided by coverage for a minute a target.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fuzzing

SLOW = ("record_page", "session_database")


@st.composite
def inputs(draw: st.DrawFn, target: str) -> bytes:
    """Well-formed input with parts cut out, doubled, swapped or replaced; or noise alone."""
    data = draw(st.sampled_from([*fuzzing.seeds_of(target), b""]))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(start + draw(st.integers(0, 40)), len(data))
        what = draw(st.integers(0, 2))
        middle = draw(st.binary(max_size=40)) if what == 0 else data[start:end] * 2 if what == 1 else b""
        data = data[:start] + middle + data[end:]
    return data


@pytest.mark.parametrize("target", list(fuzzing.TARGETS))
def test_noise_is_answered_or_refused(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOWKEY_DATA", os.environ["LOWKEY_DATA"])

    @settings(
        max_examples=25 if target in SLOW else 80, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(inputs(target))
    def feed(data: bytes) -> None:
        fuzzing.run(target, data)

    for seed in fuzzing.seeds_of(target):
        fuzzing.run(target, seed)
    feed()


@pytest.mark.parametrize("target", list(fuzzing.TARGETS))
def test_what_the_targets_are_begun_with_is_understood(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fuzzer whose seeds are refused at the door would find nothing."""
    monkeypatch.setenv("LOWKEY_DATA", os.environ["LOWKEY_DATA"])
    for seed in fuzzing.seeds_of(target):
        fuzzing.TARGETS[target](seed)


def guided(target: str, folder: Path, *more: str) -> str:
    """What the guided fuzzer says at its end."""
    pytest.importorskip("atheris", reason="atheris is installed where it has a wheel")
    command = [sys.executable, str(Path(__file__).parent / "fuzzing.py"), target, str(folder / "corpus")]
    # What a process used at most is counted from before it was one: a large test run is the fuzzer's peak from its start.
    asked = ["-timeout=20", "-rss_limit_mb=12000", "-print_final_stats=1", f"-artifact_prefix={folder}/", *more]
    done = subprocess.run([*command, *asked], capture_output=True, text=True, errors="replace", timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def new_units(said: str) -> int:
    """How many inputs were kept because they reached code that no input before them did."""
    return int(next(line.split()[-1] for line in said.splitlines() if line.startswith("stat::new_units_added")))


def test_the_guided_fuzzer_sees_where_it_has_been(tmp_path: Path) -> None:
    """Nothing imported outside its hook is watched, and a blind fuzzer runs as merrily as one that sees."""
    assert new_units(guided("look_toml", tmp_path, "-runs=3000")) > 20


@pytest.mark.soak
@pytest.mark.parametrize("target", list(fuzzing.TARGETS))
def test_a_minute_of_guided_noise(target: str, tmp_path: Path) -> None:
    # One seed, so that a finding can be found again; a fuzzer left to itself for an hour takes another each time.
    said = guided(target, tmp_path, "-max_total_time=60", "-seed=1")
    assert "Done" in said
    assert new_units(said) > 0

"""One contract, every engine: real engines on tiny weights or servers of the test's own, none of them stood in for.

tests/engine_room.py makes them ready; a new engine is put under all of this by one entry there.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import engine_room
import remote_room
from engine_room import Bench, MemoryLedger, Room, grey
from lowkey import engines
from lowkey.engines import Consent, Engine, Step
from lowkey.errors import ConsentError, EngineError, LookError
from lowkey.frame import Frame
from lowkey.look import VARIABLES, Look
from lowkey.plate.plate import Plate
from lowkey.session.record import plain
from lowkey.spec import Remedy

BENCHES = engine_room.BENCHES | remote_room.BENCHES
ANSWERS = {"yes", "kept from photo", "no"}


@pytest.fixture(scope="module", params=list(BENCHES))
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, astronaut_plate: Plate) -> Iterator[Bench]:
    yield from BENCHES[request.param](Room(tmp_path_factory.mktemp("bench"), astronaut_plate))


@pytest.fixture(scope="module")
def engine(bench: Bench) -> Iterator[Engine]:
    made = bench.make()
    yield made
    made.close()


@pytest.fixture(scope="module")
def frame(bench: Bench, engine: Engine) -> Frame:
    """One good frame, made once and looked at from every side."""
    return shoot(bench, engine)


def shoot(bench: Bench, engine: Engine, seed: int = 1, **how: object) -> Frame:
    sitting = bench.sitting(consent=bench.allowed(engine))
    return engine.shoot(bench.shot(engine, seed), sitting, ledger=MemoryLedger(), **how)  # type: ignore[arg-type]


def written(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in (folder / "scratch").rglob("*") if file.is_file()}


def test_it_is_known_by_name_and_says_what_it_is(engine: Engine) -> None:
    assert engine.name in engines.names()
    assert set(engine.abilities.variables) == set(VARIABLES)
    assert set(engine.abilities.variables.values()) <= ANSWERS
    assert engine.abilities.licence
    assert "\n" not in engine.abilities.licence + engine.abilities.cost
    assert engine.abilities.cost == "free" or engine.abilities.cost.startswith("free;") or engine.abilities.paid
    assert engine.ready().ready, engine.ready()


def test_options_are_sorted_texts_and_hashable(engine: Engine) -> None:
    assert list(engine.options) == sorted(engine.options)
    assert all(isinstance(part, str) for option in engine.options for part in option)
    assert engine.options == engine.options
    hash(engine.options)


def test_a_frame_is_what_was_asked(bench: Bench, engine: Engine, frame: Frame) -> None:
    width, height = bench.size_px
    assert frame.pixels.shape == (height, width, 3)
    assert frame.pixels.dtype == np.uint16
    assert frame.shot == bench.shot(engine)
    assert set(frame.honours) == set(VARIABLES)
    assert set(frame.honours.values()) <= ANSWERS
    assert frame.pixels.min() < frame.pixels.max()
    assert frame.engine_version
    assert frame.took_s > 0
    json.dumps(plain(dict(frame.notes)), allow_nan=False)
    json.dumps(plain(frame.words), allow_nan=False)
    assert (frame.words is None) == (engine.dialect == "")


def test_the_same_shot_makes_the_same_bytes(bench: Bench, engine: Engine, frame: Frame) -> None:
    if not engine.abilities.reproducible:
        pytest.skip("the engine has no seeds, and says so")
    shoot(bench, engine, seed=2)
    again = shoot(bench, engine)
    fresh = bench.make()
    try:
        cold = shoot(bench, fresh)
    finally:
        fresh.close()
    # The notes hold what a local model was shown: they tell whether that differed, or what it drew of it.
    assert np.array_equal(frame.pixels, again.pixels), f"after another seed: {again.notes} for {frame.notes}"
    assert np.array_equal(frame.pixels, cold.pixels), f"from a new engine: {cold.notes} for {frame.notes}"


def test_another_seed_makes_another_frame(bench: Bench, engine: Engine, frame: Frame) -> None:
    assert bench.seeds_differ != np.array_equal(frame.pixels, shoot(bench, engine, seed=2).pixels)


@pytest.mark.parametrize("size", [(250, 314), (128, 192)], ids=["off the grid", "small"])
def test_sizes_are_exact(bench: Bench, engine: Engine, size: tuple[int, int]) -> None:
    sitting = bench.sitting(consent=bench.allowed(engine))
    made = engine.shoot(bench.shot(engine, size_px=size), sitting, ledger=MemoryLedger())
    assert made.pixels.shape == (size[1], size[0], 3)


def test_progress_rises_to_its_end_and_tells_the_time_left(bench: Bench, engine: Engine, frame: Frame) -> None:
    """After an earlier `frame`: how long a take lasts is known from the one before."""
    steps: list[Step] = []
    shoot(bench, engine, progress=steps.append)
    assert steps, "nothing was told"
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert len({step.of for step in steps}) == 1
    assert steps[0].done == 0
    assert steps[-1].done == steps[-1].of
    assert all(step.what and (step.left_s is None or step.left_s >= 0) for step in steps)
    assert steps[-1].left_s == 0
    if steps[0].of > 2:
        assert any(step.left_s for step in steps[:-1]) or engine.name == "rehearsal"


@pytest.mark.parametrize("when", ["at once", "as soon as it has begun", "at the last moment"])
def test_a_cancelled_take_leaves_nothing_and_the_engine_goes_on(bench: Bench, engine: Engine, frame: Frame, when: str) -> None:
    before = written(bench.room.folder)
    asked, after = 0, 10**9

    def cancel() -> bool:
        nonlocal asked
        asked += 1
        return asked > after

    def take() -> str:
        nonlocal asked
        asked = 0
        try:
            shoot(bench, engine, cancel=cancel)
        except EngineError as stopped:
            return stopped.code
        assert asked <= after, "a take that was told to stop came out"
        return "whole"

    if when == "at the last moment":
        assert take() == "whole"
        assert asked >= 2, "an engine asks before it begins and before it is done"
        # How often one that waits for a server asks hangs on the clock: what was the last moment in one take may lie beyond the next.
        outcomes = []
        while "cancelled" not in outcomes and len(outcomes) < 5:
            after = asked - 1
            outcomes.append(take())
        assert outcomes[-1] == "cancelled"
    else:
        after = {"at once": 0, "as soon as it has begun": 1}[when]
        assert take() == "cancelled"
    assert written(bench.room.folder) == before
    if engine.abilities.reproducible:
        assert np.array_equal(shoot(bench, engine).pixels, frame.pixels)


def test_what_progress_raises_ends_the_take_and_the_engine_goes_on(bench: Bench, engine: Engine) -> None:
    class Full(Exception):
        pass

    def fail(step: Step) -> None:
        if step.done >= 1:
            raise Full

    with pytest.raises(Full):
        shoot(bench, engine, progress=fail)
    assert shoot(bench, engine).pixels.size


def test_nothing_lies_about_after_a_frame(bench: Bench, frame: Frame) -> None:
    assert written(bench.room.folder) == set()


def test_check_refuses_before_anything_is_spent(bench: Bench) -> None:
    if bench.blocked is None:
        pytest.skip("nothing ever stands in its way")
    fresh = bench.make()
    with bench.blocked():
        before = bench.spent()
        ledger = MemoryLedger()
        sitting = bench.sitting(consent=Consent("Ana", frozenset({fresh.name})))
        with pytest.raises((EngineError, ConsentError, LookError)) as refused:
            fresh.check(bench.shot(fresh), sitting)
        with pytest.raises((EngineError, ConsentError, LookError)):
            fresh.shoot(bench.shot(fresh), sitting, ledger=ledger)
        assert bench.spent() == before
        assert not ledger.jobs
        assert not fresh.ready().ready
        assert fresh.ready().missing
        _no_secrets(bench, str(refused.value), *fresh.ready().missing)
    fresh.close()


def test_equal_plans_make_equal_frames(bench: Bench, engine: Engine, frame: Frame) -> None:
    """A remedy that changes nothing must not be shot again, and one that changes the plan must be able to change the frame."""
    sitting = bench.sitting(consent=bench.allowed(engine))
    shot = bench.shot(engine)
    assert engine.plan(shot, sitting) == engine.plan(shot, sitting)
    hash(engine.plan(shot, sitting))
    assert engine.plan(bench.shot(engine, seed=2), sitting) != engine.plan(shot, sitting)
    assert engine.plan(bench.shot(engine, size_px=(256, 384)), sitting) != engine.plan(shot, sitting)
    remedied = bench.shot(engine, remedies=(Remedy("no-fill", 1.0),))
    if engine.plan(remedied, sitting) == engine.plan(shot, sitting):
        assert np.array_equal(engine.shoot(remedied, sitting, ledger=MemoryLedger()).pixels, frame.pixels)
    other = bench.shot(engine, look=Look(light="hard side-left"))
    same = engine.plan(other, sitting) == engine.plan(shot, sitting)
    assert not (same and engine.abilities.variables["light"] == "yes")
    if engine.abilities.reproducible:
        assert same == np.array_equal(engine.shoot(other, sitting, ledger=MemoryLedger()).pixels, frame.pixels)


def test_a_guide_changes_the_plan_or_is_refused(bench: Bench, engine: Engine, frame: Frame) -> None:
    guided = bench.sitting(guide=grey(bench.size_px), consent=bench.allowed(engine))
    shot = bench.shot(engine)
    if not engine.abilities.guide:
        if engine.dialect:
            with pytest.raises((EngineError, LookError)):
                engine.check(shot, guided)
        return
    assert engine.plan(shot, guided) != engine.plan(shot, bench.sitting())
    made = engine.shoot(shot, guided, ledger=MemoryLedger())
    assert made.pixels.shape == frame.pixels.shape
    assert not np.array_equal(made.pixels, frame.pixels)


def test_a_setting_that_it_does_not_have_is_refused(bench: Bench, engine: Engine) -> None:
    with pytest.raises(EngineError) as refused:
        engines.find(engine.name, {"no-such-setting": "1"})
    assert refused.value.code == "unknown-option"


def test_secrets_and_paths_stay_out_of_everything(bench: Bench, engine: Engine, frame: Frame) -> None:
    _no_secrets(bench, engine.options, plain(dict(frame.notes)), frame.engine_version, plain(frame.words), engine.abilities)


def _no_secrets(bench: Bench, *said: object) -> None:
    text = " ".join(str(one) for one in said)
    assert not [secret for secret in bench.secrets if secret in text]


def test_a_photo_leaves_only_after_a_consent_that_names_the_engine(bench: Bench, engine: Engine) -> None:
    if not engine.abilities.leaves:
        with _no_network(at_home=bench.at_home):
            shoot(bench, engine)
        return
    today = datetime.date.today()
    refused = [
        None,
        Consent("Ana", frozenset({"some-other-engine"})),
        Consent("Ana", frozenset({engine.name}), today - datetime.timedelta(days=1)),
    ]
    before = bench.spent()
    for consent in refused:
        ledger = MemoryLedger()
        sitting = bench.sitting(consent=consent)
        with pytest.raises(ConsentError) as said:
            engine.check(bench.shot(engine), sitting)
        assert said.value.code == "no-consent"
        with pytest.raises(ConsentError):
            engine.shoot(bench.shot(engine), sitting, ledger=ledger)
        assert not ledger.jobs
    assert bench.spent() == before


@contextmanager
def _no_network(*, at_home: bool = False) -> Iterator[None]:
    """Fails when anything connects, binds or resolves a name inside; `at_home` allows connections to this machine's own address."""
    import conftest

    heard: list[str] = []
    conftest._heard = heard
    try:
        yield
    finally:
        conftest._heard = None
    if at_home:
        # Names are resolved before a connection, which is what counts here.
        heard = [event for event in heard if not event.startswith(("socket.connect(('127.0.0.1', ", "socket.getaddrinfo"))]
    assert not heard


def test_closed_twice_it_can_still_be_asked(bench: Bench) -> None:
    one = bench.make()
    one.close()
    one.close()
    assert one.name
    assert one.ready().ready

"""Sessions: what is continued, what is never written over, what is checked, what is brought back, and what holds for claims,
ledgers and consents. How they stand being killed is in test_session_crash.py."""

from __future__ import annotations

import datetime
import json
import multiprocessing
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import studio as room
from lowkey import engines, owner, photo, prints
from lowkey.engines.darkroom import Darkroom
from lowkey.errors import ConsentError, EngineError, LookError, LowkeyError, PhotoError, StoreError
from lowkey.frame import Framing, Shot
from lowkey.look import Look
from lowkey.photo.png import png_bytes, texts_of
from lowkey.session import (
    consent,
    exporting,
    files,
    forgetting,
    known,
    metadata,
    opening,
    plates,
    record,
    resuming,
    schema,
    selecting,
    verifying,
)
from lowkey.session import store as stores
from lowkey.session.claim import SILENT_S, Desk
from lowkey.session.ledger import SessionLedger
from lowkey.session.lock import locked
from lowkey.session.shooting import Shoot, shoot
from lowkey.session.store import Store
from lowkey.spec import Remedy

A, B = "ana_rear-right_s01.png", "ana_rear-right_s02.png"


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Shoot]:
    """`shoot` with the quick engine and a quick reader, beside a photo `ana.png`; frames are 64 x 80."""
    for place, name in ((engines, "find"), (photo, "read"), (plates, "of"), (prints, "sheet"), (prints, "grid")):
        monkeypatch.setattr(place, name, getattr(place, name))  # so that what `furnish` puts there goes again
    monkeypatch.setenv("LOWKEY_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("LOWKEY_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    room.furnish(tmp_path)
    source = room.photograph(tmp_path)

    def run(**asked: Any) -> Shoot:
        return shoot(asked.pop("photo", source), **{"size_px": (64, 80), "seeds": 2, "meter": False, "engine": "quick"} | asked)

    return run


def shots(folder: Path = Path()) -> int:
    return len((folder / "shots.txt").read_text().splitlines())


def session(folder: str = "ana_lowkey") -> Any:
    return opening.opened(Path(folder))


# --- going on ----------------------------------------------------------------------------------------------------------------


def test_what_is_done_is_not_made_again(studio: Callable[..., Shoot]) -> None:
    assert studio().made == 2
    before = {file.name: file.stat().st_mtime_ns for file in Path("ana_lowkey").glob("*.png")}
    assert studio().made == 0
    assert shots() == 2
    assert {file.name: file.stat().st_mtime_ns for file in Path("ana_lowkey").glob("*.png")} == before
    assert studio(seeds=4).made == 2


def test_a_frame_that_is_missing_is_made_and_one_that_changed_is_kept(studio: Callable[..., Shoot]) -> None:
    folder = studio().folder
    first, second = (folder / A).read_bytes(), (folder / B).read_bytes()
    (folder / A).unlink()
    (folder / B).write_bytes(b"retouched")
    done = studio()
    assert done.made == 2
    assert [caution.code for caution in done.warnings if caution.code == "changed-file"]
    assert ((folder / A).read_bytes(), (folder / B).read_bytes()) == (first, second)
    assert [file.read_bytes() for file in (folder / "changed").iterdir()] == [b"retouched"]


def test_another_look_in_the_same_folder_mixes_nothing_up(studio: Callable[..., Shoot]) -> None:
    one = studio()
    before = {file: file.read_bytes() for file in (*(frame.path for frame in one.frames), one.sheet)}
    other = studio(look=Look(flare="no flare"))
    assert not {frame.path for frame in one.frames} & {frame.path for frame in other.frames}
    assert other.sheet != one.sheet
    assert all(file.read_bytes() == data for file, data in before.items())
    told = record.read(one.folder)
    assert {row["file"]: row["look"]["flare"] for row in told["frames"]}[other.frames[0].path.name] == "no flare"
    assert len(told["setups"]) == 2


def test_another_photo_is_refused_and_nothing_changes(studio: Callable[..., Shoot], tmp_path: Path) -> None:
    folder = studio(out="s").folder
    before = {file.name: file.read_bytes() for file in folder.glob("*.png")}
    with pytest.raises(PhotoError) as error:
        studio(photo=room.photograph(tmp_path, "ben", 6), out="s")
    assert error.value.code == "other-photo"
    assert {file.name: file.read_bytes() for file in folder.glob("*.png")} == before


def test_a_file_that_was_there_before_is_not_written_over(studio: Callable[..., Shoot]) -> None:
    Path("s").mkdir()
    Path("s", A).write_bytes(b"somebody's")
    Path("s", "sheet.png").write_bytes(b"somebody's too")
    done = studio(out="s")
    assert Path("s", A).read_bytes() == b"somebody's"
    assert done.frames[0].path.name != A
    assert [file.read_bytes() for file in Path("s", "changed").iterdir()] == [b"somebody's too"]


def test_a_session_is_moved_and_goes_on(studio: Callable[..., Shoot], tmp_path: Path) -> None:
    studio()
    Path("elsewhere").mkdir()
    shutil.move("ana_lowkey", "elsewhere/ana")
    Path("elsewhere/ana", A).unlink()
    with pytest.raises(PhotoError, match="photo-not-found"):
        resuming.resume(Path("elsewhere/ana"))
    (done,) = resuming.resume(Path("elsewhere/ana"), tmp_path / "ana.png")
    assert done.made == 1
    with opening.opened(Path("elsewhere/ana")) as one:
        assert verifying.verify(one.store)[0] == []


def test_the_photo_is_found_by_its_hash_beside_the_session(studio: Callable[..., Shoot]) -> None:
    studio()
    Path("ana.png").rename("renamed.png")
    Path("ana_lowkey", B).unlink()
    assert resuming.resume(Path("ana_lowkey"))[0].made == 1


def test_a_clock_set_back_changes_nothing(studio: Callable[..., Shoot], monkeypatch: pytest.MonkeyPatch) -> None:
    studio()
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    Path("ana_lowkey", A).unlink()
    for file in Path("ana_lowkey").iterdir():
        os.utime(file, (10**9, 10**9))
    assert studio().made == 1
    with session() as one:
        assert verifying.verify(one.store)[0] == []


# --- what is on disk is checked ---------------------------------------------------------------------------------------------------


def found(folder: str = "ana_lowkey") -> dict[str, str]:
    with session(folder) as one:
        return {finding.file: finding.what for finding in verifying.verify(one.store)[0]}


def test_missing_changed_and_swapped_files_are_found(studio: Callable[..., Shoot]) -> None:
    folder = studio(seeds=4).folder
    assert found() == {}
    third, fourth = (folder / f"ana_rear-right_s0{seed}.png" for seed in (3, 4))
    (folder / A).unlink()
    data = bytearray((folder / B).read_bytes())
    data[-30] ^= 1
    (folder / B).write_bytes(data)
    three, four = third.read_bytes(), fourth.read_bytes()
    third.write_bytes(four)
    fourth.write_bytes(three)
    (folder / "sheet.png").write_bytes(three)
    assert found() == {A: "missing", B: "changed", third.name: "swapped", fourth.name: "swapped", "sheet.png": "swapped"}


def test_a_same_sized_file_with_the_same_date_is_still_another(studio: Callable[..., Shoot]) -> None:
    file = studio().folder / A
    status, data = file.stat(), bytearray(file.read_bytes())
    data[-30] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert found() == {A: "changed"}
    assert studio().made == 1


# --- versions and damage ----------------------------------------------------------------------------------------------------------


def test_a_newer_session_is_refused_and_left_alone(studio: Callable[..., Shoot]) -> None:
    folder = studio().folder
    with sqlite3.connect(folder / "session.db") as database:
        database.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    database.close()
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    for act in (studio, lambda: found(), lambda: resuming.resume(folder)):
        with pytest.raises(StoreError) as error:
            act()
        assert error.value.code == "newer-session"
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_session_of_the_first_version_is_brought_up(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "session.db")
    database.executescript(schema.MIGRATIONS[0])
    database.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    database.execute("PRAGMA user_version = 1")
    database.execute("INSERT INTO setups (key, page) VALUES ('k', '{}')")
    database.execute("INSERT INTO frames (setup, seed, shot, file, stars) VALUES (1, 7, 'x', 'a.png', 3)")
    database.commit()
    database.close()
    with opening.opened(tmp_path) as one:
        assert [(row.seed, row.stars) for row in one.store.frames()] == [(7, 3)]
        assert one.store.rows("PRAGMA user_version")[0][0] == schema.VERSION
        assert one.store.rows("SELECT * FROM exports") == []


@pytest.mark.parametrize("damage", ["header", "middle", "zeros", "text", "cut", "empty", "length", "version"])
def test_a_damaged_database_is_rebuilt_and_what_was_lost_is_named(studio: Callable[..., Shoot], damage: str) -> None:
    folder = studio(seeds=3).folder
    selecting.mark([folder / A], stars=4)
    selecting.mark([folder / B], text="eyes closed")
    (folder / "ana_rear-right_s03.png").unlink()
    file = folder / "session.db"
    data = bytearray(file.read_bytes())
    match damage:
        case "header":
            data[:100] = b"\xff" * 100
        case "middle":
            data[4096:-4096] = os.urandom(len(data) - 8192)
        case "zeros":
            data = bytearray(len(data))
        case "text":
            data = bytearray(b"not a database at all\n" * 99)
        case "cut":
            del data[5000:]
        case "empty":
            data = bytearray()
        case "version":  # of the schema, found by fuzzing: it is a signed number
            data[60:64] = (-5).to_bytes(4, "big", signed=True)
        case "length":  # of a row, found by fuzzing: SQLite says that memory ran out
            at = data.index(b"tableframesframes")
            data[at - 9 : at + 7], data[at + 11] = b"\xff" * 16, 0x8C
    file.write_bytes(data)
    if damage == "length":
        with pytest.raises(MemoryError), closing(sqlite3.connect(file)) as database:
            database.execute("SELECT count(*) FROM sqlite_master")
    with session() as one:
        codes = [caution.code for caution in one.cautions]
        assert codes[0] == "session-rescued"
        assert [caution.text for caution in one.cautions if caution.code == "lost"] == ["ana_rear-right_s03.png: its file is missing"]
        rows = {row.file: row for row in one.store.frames()}
        assert (rows[A].stars, rows[B].note) == (4, "eyes closed")
    assert list(folder.glob("session.db.damaged-1")), "the damaged one is kept"
    assert studio(seeds=3).made == 1
    assert found() == {}


def test_without_database_and_record_the_frames_say_what_they_are(studio: Callable[..., Shoot]) -> None:
    folder = studio().folder
    (folder / "session.db").write_bytes(b"x" * 5000)
    (folder / "record.json").unlink()
    with session() as one:
        assert [row.seed for row in one.store.frames()] == [1, 2]
        assert any("stars, notes" in caution.text for caution in one.cautions)
    assert found() == {"record.json": "missing"}


def test_a_folder_of_an_older_lowkey_has_its_record_alone(studio: Callable[..., Shoot]) -> None:
    folder = studio().folder
    told = record.read(folder)
    for row in told["frames"]:
        for name in ("look", "size_px", "setup", "rejected", "note"):
            del row[name]
        row["stars"] = 3
    del told["setups"], told["jobs"], told["files"]
    (folder / "record.json").write_text(json.dumps(told))
    (folder / "session.db").unlink()
    selecting.mark([folder / A], text="still here")
    after = {row["file"]: row for row in record.read(folder)["frames"]}
    assert (after[A]["stars"], after[A]["note"], after[B]["stars"]) == (3, "still here", 3)


def test_a_record_that_names_files_elsewhere_is_not_followed(studio: Callable[..., Shoot], tmp_path: Path) -> None:
    folder = studio().folder
    victim = tmp_path / "victim.png"
    victim.write_bytes(b"mine")
    told = record.read(folder)
    told["frames"][0] |= {"file": "../victim.png", "sha256": files.sha256_of(victim)}
    told["files"]["../victim.png"] = {"kind": "select", "sha256": files.sha256_of(victim)}
    (folder / "record.json").write_text(json.dumps(told))
    (folder / "session.db").unlink()
    with session() as one:
        assert "../victim.png" not in verifying.expected(one.store)
    with sqlite3.connect(folder / "session.db") as database:
        database.execute("UPDATE frames SET file = '../victim.png' WHERE id = 1")
    database.close()
    with pytest.raises(StoreError, match="outside"):
        forgetting.forget("ana", [tmp_path])
    assert victim.read_bytes() == b"mine"


def test_a_read_only_session_can_be_looked_at_and_not_changed(studio: Callable[..., Shoot], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = studio().folder
    before = sorted(file.name for file in folder.iterdir())
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and real(path, mode))
    with session() as one:
        assert verifying.verify(one.store)[0] == []
        assert len(record.whole(one.store)["frames"]) == 2
        with pytest.raises(StoreError) as error:
            selecting.star(one.store, one.store.frames()[0], 3)
        assert error.value.code == "folder-read-only"
    assert sorted(file.name for file in folder.iterdir()) == before


def test_a_table_whose_column_was_renamed_by_damage_is_damaged(studio: Callable[..., Shoot]) -> None:
    folder = studio().folder
    with closing(sqlite3.connect(folder / "session.db", isolation_level=None)) as other:
        other.execute("ALTER TABLE setups RENAME COLUMN warnings TO warningz")
    with Store.open(folder) as store, pytest.raises(stores.Damaged, match="warnings"):
        store.setups()


def test_a_writer_that_waits_too_long_is_told_so(studio: Callable[..., Shoot], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = studio().folder
    other = sqlite3.connect(folder / "session.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(stores, "BUSY_S", 0.2)
    try:
        with pytest.raises(StoreError) as error:
            selecting.mark([folder / A], stars=2)
        assert error.value.code == "session-busy"
    finally:
        other.close()
    selecting.mark([folder / A], stars=2)


# --- claims -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def desk(studio: Callable[..., Shoot]) -> Any:
    folder = studio().folder
    (folder / A).unlink()
    with session() as one:
        yield Desk(one.store, clock=lambda: desk_clock[0])


desk_clock = [0.0]


def claimed(desk: Desk, tag: str, beat: int = 1) -> Any:
    with desk.store.writing("test") as db:
        db.execute("UPDATE frames SET owner = ?, beat = ? WHERE seed = 1", (tag, beat))
    return desk.next(1, [1, 2])


def ended_process() -> owner.Owner:
    child = os.fork()
    if child == 0:
        os._exit(0)
    born = owner._born(child)
    os.waitpid(child, 0)
    return replace(owner.me(), pid=child, born=born)


def test_a_claim_of_a_dead_process_is_taken_over(desk: Desk) -> None:
    assert claimed(desk, ended_process().tag).owner == owner.me().tag


def test_a_claim_of_a_living_process_is_not(desk: Desk) -> None:
    parent = replace(owner.me(), pid=os.getppid(), born=owner._born(os.getppid()))
    assert claimed(desk, parent.tag) is None
    assert [row.seed for row in desk.waiting(1, [1, 2])] == [1]


def test_a_number_that_was_given_anew_is_another_process(desk: Desk) -> None:
    assert claimed(desk, replace(owner.me(), pid=os.getppid(), born="1").tag) is not None


def test_a_claim_of_an_earlier_boot_has_ended(desk: Desk) -> None:
    assert claimed(desk, replace(owner.me(), boot="00000000").tag) is not None


def test_a_claim_from_elsewhere_lives_as_long_as_its_heart_beats(desk: Desk) -> None:
    """Told by this process's steady clock: neither side's time of day has a part in it."""
    tag = replace(owner.me(), machine="elsewher").tag
    desk_clock[0] = 0.0
    assert claimed(desk, tag, 1) is None
    for beat in range(2, 6):
        desk_clock[0] += SILENT_S - 1
        assert claimed(desk, tag, beat) is None
    desk_clock[0] += SILENT_S + 1
    assert desk.next(1, [1, 2]) is not None


def test_a_result_after_a_lost_claim_is_dropped(desk: Desk) -> None:
    row = desk.next(1, [1])
    assert row is not None
    with desk.store.writing("test") as db:
        db.execute("UPDATE frames SET owner = 'somebody-else-is-1-1' WHERE id = ?", (row.id,))
    with pytest.raises(StoreError) as error:
        desk.promise(row.id, "0" * 64, {})
    assert error.value.code == "claim-lost"


def _hold(folder: str, ready: Any) -> None:
    with locked(Path(folder), "watch"):
        ready.set()
        time.sleep(60)


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=_hold, args=(str(tmp_path), ready))
    holder.start()
    try:
        assert ready.wait(60)
        with pytest.raises(StoreError, match="session-busy"), locked(tmp_path, "watch", wait_s=0.1):
            pass
        holder.kill()
        holder.join()
        with locked(tmp_path, "watch", wait_s=5):
            pass
    finally:
        holder.kill()
        holder.join()


# --- the ledger -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store.open(tmp_path, create=True) as one:
        yield one


def test_a_job_is_found_until_its_picture_is_kept(store: Store) -> None:
    ledger = SessionLedger(store)
    assert ledger.find("s", "e") is None
    job = ledger.intend("s", "e", Decimal("0.05"), id="mine", detail={"model": "m"})
    assert ledger.find("s", "e") == job
    assert (job.state, job.id, job.detail) == ("intended", "mine", {"model": "m"})
    job = ledger.submitted(job, id="theirs", url="https://x", cost_usd=Decimal("0.04"))
    assert ledger.find("s", "e") == job
    done = ledger.close(job, "done")
    again = ledger.find("s", "e")
    assert done.state == "done"
    assert again is not None
    assert (again.state, again.id, again.url) == ("submitted", "theirs", "https://x")
    with store.writing("test") as db:
        db.execute("UPDATE jobs SET kept = 1")
    assert ledger.find("s", "e") is None


@pytest.mark.parametrize("state", ["failed", "refused"])
def test_a_job_that_failed_is_sent_anew(store: Store, state: str) -> None:
    ledger = SessionLedger(store)
    ledger.close(ledger.intend("s", "e", Decimal(1)), state, why="moderated")
    assert ledger.find("s", "e") is None
    assert ledger.spent() == 0


def test_the_budget_is_the_session_s(store: Store) -> None:
    first = SessionLedger(store, budget_usd=Decimal("0.10"))
    first.close(first.submitted(first.intend("a", "e", Decimal("0.05")), id="1", cost_usd=Decimal("0.06")), "done")
    later = SessionLedger(store, budget_usd=Decimal("0.10"))
    later.intend("b", "e", Decimal("0.04"))
    with pytest.raises(EngineError) as error:
        later.intend("c", "e", Decimal("0.01"))
    assert (error.value.code, error.value.exit_code) == ("over-budget", 3)
    assert later.spent() == Decimal("0.10")
    assert len(store.rows("SELECT * FROM jobs")) == 2


def test_faces_and_guides_have_jobs_of_their_own(store: Store) -> None:
    SessionLedger(store, scope="face 1").intend("s", "e", Decimal(1))
    assert SessionLedger(store, scope="face 2").find("s", "e") is None


def test_a_budget_stops_a_shoot_before_anything_is_sent(studio: Callable[..., Shoot]) -> None:
    with pytest.raises(EngineError, match="over-budget"):
        studio(engine="paid", seeds=3, budget_usd="0.09")
    assert len(room.Shop(Path("shop.txt")).orders()) == 2
    assert studio(engine="paid", seeds=3, budget_usd="0.12").cost_usd == Decimal("0.12")
    assert len(room.Shop(Path("shop.txt")).orders()) == 3
    told = record.read(Path("ana_lowkey"))
    assert [row["cost_usd"] for row in told["frames"]] == [0.04] * 3
    assert all(job["kept"] for job in told["jobs"])


# --- consent ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def papers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOWKEY_DATA", str(tmp_path / "data"))


def _on(monkeypatch: pytest.MonkeyPatch, day: str) -> None:
    class Day(datetime.date):
        @classmethod
        def today(cls) -> Day:
            return cls.fromisoformat(day)

    monkeypatch.setattr(consent.datetime, "date", Day)


@pytest.mark.usefixtures("papers")
def test_a_consent_names_scopes_engines_an_end_and_a_guardian(monkeypatch: pytest.MonkeyPatch) -> None:
    _on(monkeypatch, "2026-05-01")
    consent.agree("Ana  Lima", scopes=["portfolio", "prints"], engines=["bfl"], until="2026-06-30", guardian="Rui Lima")
    person = consent.of_person("ana lima")
    assert person.now == consent.Agreed("2026-05-01", ("portfolio", "prints"), ("bfl",), "2026-06-30", "Rui Lima")
    given = consent.for_engines("ANA LIMA")
    assert given is not None
    assert given.allows("bfl", consent.today())
    assert not given.allows("fal", consent.today())
    _on(monkeypatch, "2026-07-01")
    assert consent.of_person("Ana Lima").now is None
    assert not given.allows("bfl", consent.today())
    # A clock set back does not bring it to life again.
    _on(monkeypatch, "2026-05-02")
    assert consent.today().isoformat() == "2026-07-01"
    assert consent.of_person("Ana Lima").now is None


@pytest.mark.usefixtures("papers")
def test_what_is_withdrawn_stays_on_record_and_holds_no_more() -> None:
    consent.agree("ana", scopes=["delivery"])
    consent.withdraw("ana")
    assert consent.for_engines("ana") is None
    assert [line.withdrawn for line in consent.of_person("ana").history] == [False, True]
    with pytest.raises(ConsentError, match="no-consent"):
        consent.withdraw("ben")
    consent.agree("ana", engines=["bfl"])
    assert [one.name for one in consent.everyone()] == ["ana"]


@pytest.mark.usefixtures("papers")
@pytest.mark.parametrize(
    "wrong",
    [{"scopes": ["everything"]}, {"scopes": []}, {"engines": ["../x"]}, {"scopes": ["prints"], "until": "soon"},
     {"scopes": ["prints"], "until": "2001-01-01"}],
)  # fmt: skip
def test_a_consent_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConsentError) as error:
        consent.agree("ana", **wrong)
    assert (error.value.code, error.value.exit_code) == ("bad-consent", 2)


@pytest.mark.usefixtures("papers")
def test_a_damaged_consent_counts_as_none() -> None:
    consent.agree("ana", engines=["bfl"])
    (file,) = consent.folder().glob("*.json")
    file.write_text(file.read_text()[:-20])
    with pytest.raises(ConsentError, match="counts as none"):
        consent.for_engines("ana")


class Leaving(room.Quick):
    """An engine that sends the photo away."""

    def __init__(self) -> None:
        super().__init__(Path(), paid=False)
        self.abilities = replace(self.abilities, leaves=True)


def test_no_photo_leaves_without_a_consent_that_names_the_engine(studio: Callable[..., Shoot], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find", lambda *_: Leaving())
    for agreed in (None, ["fal"]):
        if agreed:
            consent.agree("ana", engines=agreed)
        with pytest.raises(ConsentError, match="no-consent"):
            studio()
        assert not Path("shots.txt").exists()
    consent.agree("Ana", engines=["quick"])
    assert studio().made == 2
    assert not list(Path("ana_lowkey").glob(".lowkey-scratch-*")), "the engine's private folder went with the sitting"


# --- what a frame carries ------------------------------------------------------------------------------------------------------


def test_a_frame_carries_its_shot_and_can_be_made_again_from_it(studio: Callable[..., Shoot], tmp_path: Path) -> None:
    one = studio(look=Look(title="Ember", rig=(("fill_ev", float("-inf")),)), seeds=[3]).frames[0].path
    carried = metadata.of(one)
    assert (carried.shot.seed, carried.shot.look.title, carried.shot.reference) == (3, "Ember", files.sha256_of(tmp_path / "ana.png"))
    Path("alone").mkdir()
    shutil.copy(one, "alone/frame.png")
    with pytest.raises(PhotoError, match="photo-not-found"):
        resuming.again(Path("alone/frame.png"), Path("alone"))
    made = resuming.again(Path("alone/frame.png"), tmp_path)
    assert made.same
    assert made.path.read_bytes() == one.read_bytes()


def test_remedies_and_options_travel_with_the_frame() -> None:
    shot = Shot(Look(light="95,18"), Framing(), "ab" * 32, 4, (64, 80), options=(("keep-skin", "yes"),), remedies=(Remedy("no-fill", 1.5),))
    data = png_bytes(np.zeros((4, 4, 3), np.uint8), text=metadata.texts(shot, "e 1", face=2, prelight=True))
    assert metadata.carried(data) == metadata.Carried(shot, 2, True, "e 1")


def test_the_xmp_is_xml_and_says_how_the_picture_came_about() -> None:
    from xml.etree import ElementTree

    shot = Shot(Look(title='<b>"A & B"</b>'), Framing(), "ab" * 32, 4, (64, 80))
    packet = metadata.texts(shot, "darkroom <1>")[metadata.XMP_KEY]
    tree = ElementTree.fromstring(packet[packet.index("<x:xmpmeta") : packet.rindex("<?xpacket")])
    text = " ".join(tree.itertext())
    assert "digitalsourcetype/compositeSynthetic" in text
    assert '<b>"A & B"</b>' in text
    assert "cm" not in Shot(Look(), Framing(), "x", 1, (1, 1), engine="flux").engine
    other = metadata.texts(replace(shot, engine="flux"), "flux")[metadata.XMP_KEY]
    assert "compositeWithTrainedAlgorithmicMedia" in other


@pytest.mark.parametrize("change", [{"seed": 5}, {"reference": "cd" * 32}, {"engine": "x"}])
def test_an_altered_shot_is_found_out(change: dict[str, Any]) -> None:
    told = json.loads(metadata.texts(Shot(Look(), Framing(), "ab" * 32, 4, (64, 80)), "e")[metadata.KEY])
    told["shot"] |= change
    data = png_bytes(np.zeros((4, 4, 3), np.uint8), text={metadata.KEY: json.dumps(told)})
    with pytest.raises(LookError, match="bad-metadata"):
        metadata.carried(data)


def test_a_private_frame_carries_nothing(studio: Callable[..., Shoot]) -> None:
    file = studio(private=True).frames[0].path
    data = file.read_bytes()
    assert texts_of(data) == {}
    assert not any(word in data for word in (b"lowkey", b"iTXt", b"tEXt", b"eXIf", b"xmp"))
    with pytest.raises(LookError, match="no-metadata"):
        metadata.of(file)


def test_the_same_shot_is_the_same_bytes_in_any_folder(studio: Callable[..., Shoot], tmp_path: Path) -> None:
    one, two = studio(out="one").frames[0].path, studio(out=tmp_path / "deep" / "er").frames[0].path
    assert one.read_bytes() == two.read_bytes()
    assert str(tmp_path).encode() not in one.read_bytes()


def test_nothing_written_holds_a_place_a_serial_or_a_face_s_numbers(studio: Callable[..., Shoot], tmp_path: Path) -> None:
    """A photo with GPS, serial numbers and an owner's name; then every byte that a session, its plate and its data folder hold."""
    exif = Image.Exif()
    exif[271], exif[272], exif[42033 - 0], exif[315] = "Maker", "Model", "SERIAL-4711", "Owner Secret"
    inner = exif.get_ifd(0x8769)
    inner[0xA431], inner[0xA435], inner[0xA430] = "SERIAL-4711", "SERIAL-0815", "Owner Secret"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (38.0, 42.0, 51.25), "W", (9.0, 8.0, 22.5)
    pixels = np.random.default_rng(3).integers(0, 255, (128, 96, 3), np.uint8)
    source = tmp_path / "cam.jpg"
    Image.fromarray(pixels).save(source, exif=exif)
    assert b"SERIAL-4711" in source.read_bytes()
    from lowkey.photo.reading import read

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(photo, "read", read)  # the real reader, in its child
        done = studio(photo=source, out="cam")
        selecting.mark([done.frames[0].path], stars=5)
        with opening.opened(done.folder) as one:
            exporting.export(one.store, Path("given"))
    seen = 0
    for file in [*done.folder.rglob("*"), *Path("data").rglob("*"), *Path("given").rglob("*")]:
        if file.is_file():
            seen += 1
            data = file.read_bytes()
            for secret in (b"SERIAL", b"4711", b"Owner Secret", b"GPS", b"51.25", b"embedding", b"landmark"):
                assert secret not in data, f"{secret!r} in {file}"
    assert seen > 6


# --- by hand ----------------------------------------------------------------------------------------------------------------


def test_stars_are_kept_apart_from_the_meter_and_selects_are_copies(studio: Callable[..., Shoot]) -> None:
    folder = studio().folder
    before = record.read(folder)["frames"][0]["meter"]
    selecting.mark([folder / A], stars=4)
    row = record.read(folder)["frames"][0]
    assert (row["stars"], row["meter"]) == (4, before)
    select = folder / "selects" / A
    assert select.read_bytes() == (folder / A).read_bytes()
    assert select.stat().st_ino != (folder / A).stat().st_ino
    select.write_bytes(b"retouched")
    assert found() == {f"selects/{A}": "changed"}
    (said,) = selecting.mark([folder / A], stars=0)
    assert said.code == "changed-select"
    assert select.read_bytes() == b"retouched"
    selecting.mark([folder / B], stars=1)
    selecting.mark([folder / B], rejected=True)
    assert not (folder / "selects" / B).exists()
    assert (record.read(folder)["frames"][1]["stars"], record.read(folder)["frames"][1]["rejected"]) == (0, True)


def test_an_export_is_checked_and_never_written_over(studio: Callable[..., Shoot]) -> None:
    folder = studio().folder
    selecting.mark([folder / A, folder / B], stars=2)
    Path("out").mkdir()
    Path("out", A).write_bytes(b"there before")
    with session() as one:
        first = exporting.export(one.store, Path("out"))
        assert exporting.export(one.store, Path("out")) == first
        (lean, _) = exporting.export(one.store, Path("lean"), private=True)
    assert Path("out", A).read_bytes() == b"there before"
    assert [file.read_bytes() for file in first] == [(folder / name).read_bytes() for name in (A, B)]
    assert texts_of(lean.read_bytes()) == {}
    (folder / "selects" / B).unlink()
    (folder / B).write_bytes(b"broken")
    with session() as one, pytest.raises(StoreError, match="file-changed"):
        exporting.export(one.store, Path("more"))


# --- forgetting -------------------------------------------------------------------------------------------------------------


def test_a_person_is_forgotten_and_a_search_by_hash_proves_it(studio: Callable[..., Shoot], tmp_path: Path) -> None:
    done = studio(out="work/ana")
    other = studio(photo=room.photograph(tmp_path, "ben", 6), out="work/ben")
    selecting.mark([frame.path for frame in done.frames], stars=3)
    with opening.opened(done.folder) as one:
        exporting.export(one.store, Path("given"))
    consent.agree("Ana", scopes=["portfolio"])
    plates.folder().mkdir(parents=True)
    reference = files.sha256_of(tmp_path / "ana.png")
    for name in (f"{reference[:24]}-{'0' * 24}.npz", f"{'f' * 24}-{'0' * 24}.npz"):
        (plates.folder() / name).write_bytes(b"plate")
    shutil.copy(done.frames[0].path, "work/renamed copy.png")
    Path("work/ana/contract.txt").write_text("mine")
    hashes = {files.sha256_of(file) for file in done.folder.rglob("*.png")}

    gone = forgetting.forget("ana", [tmp_path / "work"])

    assert gone.left == ()
    assert gone.searched > 0
    assert gone.photos == ()
    rest = {file for file in tmp_path.rglob("*") if file.is_file()}
    assert not hashes & {files.sha256_of(file) for file in rest}
    assert not any(reference.encode() in file.read_bytes() for file in rest if file.suffix != ".txt")
    assert not list(Path("given").iterdir())
    assert plates.of_photo(reference) == []
    assert len(list(plates.folder().iterdir())) == 1
    assert consent.of_person("ana").history == ()
    assert Path("work/ana/contract.txt").read_text() == "mine", "what somebody else put there stays"
    assert all(frame.path.exists() for frame in other.frames)
    assert [place.folder for place in known.places()] == [other.folder.resolve()]
    assert (tmp_path / "ana.png").exists(), "the photo itself is the photographer's"
    with pytest.raises(LookError, match="nobody"):
        forgetting.forget("ana", [tmp_path / "work"])


def test_the_photo_goes_too_when_asked_for(studio: Callable[..., Shoot], tmp_path: Path) -> None:
    studio()
    gone = forgetting.forget("ana", [tmp_path], photo_too=True)
    assert not (tmp_path / "ana.png").exists()
    assert gone.left == ()


def test_every_error_of_a_session_is_one_of_ours(studio: Callable[..., Shoot]) -> None:
    folder = studio().folder
    for act in (
        lambda: selecting.mark([folder / "x.png"], stars=1),
        lambda: selecting.mark([Path("nowhere/x.png")], stars=1),
        lambda: selecting.mark([folder / A], text="x" * 999),
        lambda: metadata.of(Path("nowhere.png")),
        lambda: studio(options={"colour": "red"}, engine="darkroom"),
        lambda: studio(prelight=True),
        lambda: studio(budget_usd="lots"),
    ):
        with pytest.raises(LowkeyError):
            act()
    assert isinstance(engines.find("darkroom"), Darkroom)


def test_a_stopped_retake_goes_on_from_the_takes_that_are_there(studio: Callable[..., Shoot], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every take misses the same thing, so that each frame has several; a stop comes before the second one's file is there."""
    from lowkey import faults
    from lowkey.meter.verdict import judge
    from lowkey.session import retaking
    from test_verdict import HOUSE, reading

    missing = judge(reading(lights=2.0, lit_islands=9.0), HOUSE)
    assert missing.remedies
    monkeypatch.setattr(retaking, "measure", lambda *_, **__: None)
    monkeypatch.setattr(retaking, "judge", lambda *_: missing)
    seen: list[str] = []

    def stop(name: str) -> None:
        seen.append(name)
        if seen.count("db.committed take") == 2 and name == "db.committed take":
            raise KeyboardInterrupt

    asked: dict[str, Any] = {"seeds": 1, "meter": True, "retakes": 2, "engine": "paid"}
    unharmed = studio(**asked, out="unharmed")
    before = shots()
    takes = len(record.read(unharmed.folder)["frames"][0]["takes"])
    monkeypatch.setattr(faults, "hook", stop)
    with pytest.raises(KeyboardInterrupt):
        studio(**asked, out="stopped")
    monkeypatch.setattr(faults, "hook", None)
    assert studio(**asked, out="stopped").made == 1
    assert shots() - before == takes + 1, "the first take was read back, the second made once more, the rest made"
    one, other = (record.read(Path(name))["frames"][0] for name in ("unharmed", "stopped"))
    assert one["sha256"] == other["sha256"]
    assert [take["shot"] for take in one["takes"]] == [take["shot"] for take in other["takes"]]
    assert found("stopped") == {}
    orders = room.Shop(Path("shop.txt")).orders()
    assert len(orders) == len(set(orders)) == takes

"""A studio for tests of sessions: a quick engine that is paid, a shop that remembers what it was paid for, and processes that die.

The process that runs this file as a program imports what sessions need once and then forks a child for every kill, before any
kernel or thread was entered: a kill costs milliseconds instead of a cold start. Nothing of the session is stood in for: what is
replaced is the reading of the face, the decoding of files and the page of the contact sheet, which write nothing.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lowkey import engines, faults, photo, prints
from lowkey.engines import Abilities, Ready, Sitting
from lowkey.frame import Frame, Placement, Shot
from lowkey.photo import Photo
from lowkey.pixels import freeze
from lowkey.plate.plate import PARTS, FoundLight, Plate, Pose
from lowkey.session import (
    consent,
    exporting,
    files,
    forgetting,
    opening,
    plates,
    record,
    resuming,
    selecting,
    shooting,
    sweeping,
    verifying,
)
from lowkey.session.shooting import shoot

SIZE = (64, 80)
SEEDS = (1, 2)


class Shop:
    """The service that a paid engine buys from: a file outside the session that remembers every order, as a real one would."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def order(self, key: str) -> None:
        """Pay for one picture. The same key is the same order, however often it is sent."""
        if key not in self.orders():
            with self.file.open("a") as book:
                book.write(f"{key}\n")
                book.flush()
                os.fsync(book.fileno())

    def orders(self) -> list[str]:
        return self.file.read_text().split() if self.file.exists() else []


class Quick:
    """Makes noise of the right size: the same shot is the same picture. `paid` buys each from the shop, through the ledger."""

    dialect = ""
    options: tuple[tuple[str, str], ...] = ()

    def __init__(self, folder: Path, *, paid: bool, slow_s: float = 0.0) -> None:
        self.name = "paid" if paid else "quick"
        self.abilities = Abilities(dict.fromkeys(("light", "background", "clothing", "pose", "flare"), "yes"), not paid, paid=paid)
        self.shop, self.log, self.slow_s = Shop(folder / "shop.txt"), folder / "shots.txt", slow_s

    def ready(self) -> Ready:
        return Ready(True)

    def plan(self, shot: Shot, sitting: Sitting) -> Any:
        return shot

    def check(self, shot: Shot, sitting: Sitting) -> None:
        pass

    def close(self) -> None:
        pass

    def shoot(self, shot: Shot, sitting: Sitting, *, progress: Any = None, cancel: Any = None, ledger: Any = None) -> Frame:
        with self.log.open("a") as log:
            log.write(f"{shot.hash()} {os.getpid()}\n")
        if self.abilities.paid:
            job = ledger.find(shot.hash(), self.name)
            if job is None:
                faults.point("net.intend")
                job = ledger.intend(shot.hash(), self.name, Decimal("0.04"), id=shot.hash())
            if job.state == "intended":
                faults.point("net.order")
                self.shop.order(job.id)
                faults.point("net.ordered")
                job = ledger.submitted(job, id=job.id, cost_usd=Decimal("0.04"))
            faults.point("net.poll")
            assert job.id in self.shop.orders(), "a job that was never ordered"
            faults.point("net.fetch")
            ledger.close(job, "done")
            faults.point("net.closed")
        if self.slow_s:
            time.sleep(self.slow_s)
        w, h = shot.size_px
        stream = int(shot.hash()[7:23], 16)
        pixels = np.random.default_rng(stream).integers(0, 65535, (h, w, 3), np.uint16)
        honours = dict(self.abilities.variables)
        return Frame(pixels, shot, None, Placement(1.0, 0.0, 0.0), (), honours, f"{self.name} 1", 0.01)


def plate_of(picture: Photo) -> Plate:
    """A plate that no reader made."""
    flat = freeze(np.zeros((64, 48), np.float32))
    deep = freeze(np.zeros((64, 48, 3), np.float32))
    return Plate(
        photo=picture, window=Placement(0.5, 0, 0), hw_px=20.0, landmarks=freeze(np.zeros((478, 3), np.float32)), pose=Pose(0, 0, 0),
        inside=flat, colour=deep, matte=flat, parts=dict.fromkeys(PARTS, flat), depth=flat, normal=deep, albedo=deep,
        found_light=FoundLight(0, 0, 0, False, 0, 1), confidence=1.0, warnings=(), read_by={"reader": "1"},
    )  # fmt: skip


def furnish(folder: Path, slow_s: float = 0.0) -> None:
    """Put the quick engine, a quick reader and a quick sheet in place, for this process."""
    real = engines.find

    def find(name: str, settings: Mapping[str, str] | None = None) -> Any:
        return Quick(folder, paid=name == "paid", slow_s=slow_s) if name in ("quick", "paid") else real(name, settings)

    def read(path: Path | str, **_: Any) -> Photo:
        data = Path(path).read_bytes()
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        return Photo(freeze(np.ascontiguousarray(pixels[..., ::-1])), files.digest(data), Path(path).stem)

    engines.find = find  # type: ignore[assignment]
    photo.read = read  # type: ignore[assignment]
    plates.of = lambda picture, face=None, keep=True: plate_of(picture)  # type: ignore[assignment,misc]
    prints.sheet = lambda cells, *_: np.stack([cv2.resize(one.picture, (16, 20)) for one in cells]).reshape(-1, 16, 3)  # type: ignore[assignment]
    prints.grid = lambda cells, *_: np.concatenate([cv2.resize(one, (16, 20)) for row in cells.values() for one in row])  # type: ignore[assignment]
    os.environ["LOWKEY_DATA"] = str(folder / "data")


def photograph(folder: Path, name: str = "ana", seed: int = 5) -> Path:
    path = folder / f"{name}.png"
    if not path.exists():
        photo.write_png(path, np.random.default_rng(seed).integers(0, 255, (128, 96, 3), np.uint8))
    return path


# --- what a process does, until it is killed -------------------------------------------------------------------------------------


def _shoot(folder: Path, engine: str) -> None:
    shoot(photograph(folder), seeds=SEEDS, size_px=SIZE, meter=False, engine=engine, out=folder / "s")


def _marked(folder: Path) -> None:
    a, b = (folder / "s" / f"ana_rear-right_s{seed:02d}.png" for seed in SEEDS)
    selecting.mark([a, b], stars=4)
    selecting.mark([b], stars=0)
    selecting.mark([b], rejected=True)
    selecting.mark([a], text="the one")


def _exported(folder: Path) -> None:
    with opening.opened(folder / "s") as session:
        exporting.export(session.store, folder / "out", stars=0)


def _spoilt(folder: Path) -> None:
    """One frame is missing, another was changed by hand: both are made anew, and the changed one is kept."""
    a, b = (folder / "s" / f"ana_rear-right_s{seed:02d}.png" for seed in SEEDS)
    mark = folder / "spoilt"
    if not mark.exists():
        a.unlink()
        b.write_bytes(b.read_bytes() + b"by hand")
        mark.touch()


def _rescued(folder: Path) -> None:
    mark, database = folder / "spoilt", folder / "s" / "session.db"
    if not mark.exists():
        data = bytearray(database.read_bytes())
        data[:4096] = os.urandom(4096)
        database.write_bytes(data)
        mark.touch()
    _shoot(folder, "quick")


def _swept(folder: Path) -> None:
    across, down = sweeping.axis("flare=no flare; clean backlight"), sweeping.axis("light=rear-right; rear-left")
    sweeping.sweep(photograph(folder), across, down, size_px=SIZE, meter=False, engine="quick", out=folder / "s")


def _consented(folder: Path) -> None:
    consent.agree("Ana", scopes=["portfolio"], engines=["paid"])
    consent.withdraw("Ana")
    consent.agree("Ana", scopes=["prints"], engines=["paid"])


def _forgotten(folder: Path) -> None:
    if (folder / "s").exists():
        forgetting.forget("ana", [folder])


def _resumed(folder: Path) -> None:
    resuming.resume(folder / "s")


@dataclass(frozen=True)
class Scene:
    """One thing to be interrupted: what is there before, what is done, and what must be true in the end."""

    before: tuple[Callable[[Path], None], ...]
    act: Callable[[Path], None]
    frames: int
    moved: bool = True
    """Whether what is there before is a copy: folders are moved, and nothing may hang on where they were."""


def _free(folder: Path) -> None:
    _shoot(folder, "quick")


def _paid(folder: Path) -> None:
    _shoot(folder, "paid")


SCENES = {
    "free": Scene((), _free, 2),
    "paid": Scene((), _paid, 2),
    "marked": Scene((_free,), _marked, 2),
    "exported": Scene((_free,), _exported, 2),
    "mended": Scene((_free, _spoilt), _free, 2),
    "rescued": Scene((_free,), _rescued, 2),
    "swept": Scene((), _swept, 4),
    "consented": Scene((), _consented, 0),
    "forgotten": Scene((_free, _marked, _exported), _forgotten, 0, moved=False),
    "resumed": Scene((_paid, _spoilt), _resumed, 2),
}


# --- killing -----------------------------------------------------------------------------------------------------------------


def killer(at: int) -> Callable[[str], None]:
    """A hook that kills this process, without a word, at the step of that number; 0 never does, and the steps are counted."""
    seen = 0

    def hook(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


def failing(at: int, code: int) -> Callable[[str], None]:
    """A hook that lets the step of that number fail once, as a full or broken disk would; with code 0 it is Ctrl-C that comes."""
    seen = 0

    def hook(name: str) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            raise OSError(code, os.strerror(code)) if code else KeyboardInterrupt

    return hook


def forked(work: Callable[[], Any]) -> tuple[int, int]:
    """Begin it in a forked child: its number, and the pipe it speaks into; both are for `finished`."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(out)
            said = work()
            os.write(into, json.dumps(said).encode()[:60_000])
            code = 0
        except BaseException as error:
            import traceback

            kind = getattr(error, "code", type(error).__name__)
            os.write(into, f"{kind}: {error}\n{''.join(traceback.format_exception(error)[-6:])}".encode()[:60_000])
        finally:
            os._exit(code)
    os.close(into)
    return child, out


def finished(child: tuple[int, int]) -> tuple[int, str]:
    """A child's exit status as waitpid has it (9: killed), and what it said."""
    with os.fdopen(child[1], "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    return os.waitpid(child[0], 0)[1], said


def in_child(work: Callable[[], Any]) -> tuple[int, str]:
    return finished(forked(work))


def steps(folder: Path, act: Callable[[Path], None]) -> list[str]:
    """The names of all steps of an act, in order."""

    def counted() -> list[str]:
        names: list[str] = []
        faults.hook = names.append
        act(folder)
        return names

    status, said = in_child(counted)
    assert status == 0, said
    return list(json.loads(said))


# --- what must be true -------------------------------------------------------------------------------------------------------


def whole(folder: Path) -> list[str]:
    """Right after a kill: what is on disk under its own name is whole. What is not, in words."""
    wrong = []
    for file in sorted(folder.rglob("*")) if folder.exists() else []:
        if file.name.startswith(".lowkey-") or not file.is_file() or files.SET_ASIDE in file.parts:
            continue
        data = file.read_bytes()
        if file.suffix == ".png" and "by hand" not in repr(data[-9:]):
            if cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is None or not data.endswith(b"IEND\xaeB`\x82"):
                wrong.append(f"{file.name} is half a picture")
        elif file.suffix == ".json":
            try:
                json.loads(data)
            except ValueError:
                wrong.append(f"{file.name} is half a page")
        elif file.name == "session.db" and not (folder.parent / "spoilt").exists():
            with sqlite3.connect(file) as database:
                if database.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                    wrong.append("the database is damaged")
            database.close()
    return wrong


def done_now(folder: Path) -> set[str]:
    """The frames that are done, as the database and the files have it."""
    if not files.is_session(folder / "s"):
        return set()
    with suppress(Exception), opening.opened(folder / "s") as session:
        return {row.shot for row in session.store.frames() if row.sha256 and files.intact(folder / "s" / row.file, row.sha256)}
    return set()


def ended(folder: Path, scene: str, frames: int) -> list[str]:
    """After the act was done once more: nothing is lost, doubled or half. What is wrong, in words."""
    wrong = whole(folder / "s")
    leftovers = [file.name for file in folder.rglob(".lowkey-*.tmp")]
    if leftovers:
        wrong.append(f"left behind: {leftovers}")
    if scene == "forgotten":
        rest = [str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()]
        kept = [name for name in rest if name not in ("ana.png", "shots.txt", "shop.txt") and not name.endswith((".lock", "day"))]
        return wrong + ([f"not forgotten: {kept}"] if kept else [])
    if scene == "consented":
        found = consent.of_person("ana")
        if found.now is None or found.now.scopes != ("prints",):
            wrong.append("the consent is not what was agreed last")
        return wrong
    with opening.opened(folder / "s") as session:
        store = session.store
        rows = store.frames()
        findings, _ = verifying.verify(store)
        wrong += [f"{one.file} is {one.what}" for one in findings]
        if len(rows) != frames:
            wrong.append(f"{len(rows)} frames, not {frames}")
        if any(row.owner for row in rows):
            wrong.append("a claim was never given back")
        names = {file.name for file in (folder / "s").glob("ana_*.png")}
        if names != {row.file for row in rows}:
            wrong.append(f"frames on disk {sorted(names)} are not those on record")
        if record.whole(store) != json.loads((folder / "s" / "record.json").read_text()):
            wrong.append("the record is not what the database says")
        orders = Shop(folder / "shop.txt").orders()
        if len(orders) != len(set(orders)):
            wrong.append("something was paid twice")
        if scene == "paid" and sorted(orders) != sorted(row.shot for row in rows):
            wrong.append(f"{len(orders)} orders for {len(rows)} frames")
        if scene == "marked":
            a, b = rows
            marks = (a.stars, a.note, b.stars, b.rejected, sorted(file.name for file in (folder / "s" / "selects").iterdir()))
            if marks != (4, "the one", 0, True, [a.file]):
                wrong.append(f"the marks are {marks}")
        if scene == "exported":
            copies = sorted((folder / "out").glob("*.png"))
            if [files.sha256_of(one) for one in copies] != [row.sha256 for row in rows]:
                wrong.append("the exports are not the frames")
        if scene in ("mended", "resumed"):
            kept = [file.read_bytes()[-7:] for file in (folder / "s" / files.SET_ASIDE).iterdir()]
            if kept != [b"by hand"]:
                wrong.append(f"the changed frame was not kept once: {len(kept)}")
    return wrong


def _begun(folder: Path, scene: Scene) -> None:
    """What is there before the act of a scene."""
    folder.mkdir(parents=True)
    photograph(folder)
    for act in scene.before:

        def work(act: Callable[[Path], None] = act) -> None:
            furnish(folder)
            act(folder)

        status, said = in_child(work)
        assert status == 0, said


def torture(base: Path, scene: str, every: int = 1) -> dict[str, Any]:
    """Kill the act of a scene at every step (or every n-th), each in a folder of its own; do it again; say what was wrong."""
    import shutil

    chosen = SCENES[scene]
    start = base / f"{scene}-start"
    _begun(start, chosen)

    def begin(folder: Path) -> None:
        shutil.copytree(start, folder) if chosen.moved else _begun(folder, chosen)

    measured = base / f"{scene}-steps"
    begin(measured)

    def counted(folder: Path) -> None:
        furnish(folder)
        chosen.act(folder)

    names = steps(measured, counted)
    wrong, kills = [], 0
    status, said = in_child(lambda: (furnish(measured), ended(measured, scene, chosen.frames))[1])
    assert status == 0, said
    wrong += [f"unharmed: {one}" for one in json.loads(said)]
    for at in range(1, len(names) + 1, every):
        folder = base / f"{scene}-{at}"
        begin(folder)

        def dying(folder: Path = folder, at: int = at) -> None:
            furnish(folder)
            faults.hook = killer(at)
            chosen.act(folder)

        status, said = in_child(dying)
        where = f"{scene} at step {at} ({names[at - 1]})"
        if status != signal.SIGKILL:
            wrong.append(f"{where}: it did not die there: {status} {said}")
            continue
        kills += 1

        def judged(folder: Path = folder, where: str = where) -> list[str]:
            furnish(folder)
            found = [f"right after: {one}" for one in whole(folder / "s")]
            before = done_now(folder)
            shots = (folder / "shots.txt").read_text().split("\n") if (folder / "shots.txt").exists() else []
            chosen.act(folder)
            later = (folder / "shots.txt").read_text().split("\n")[len(shots) - 1 :] if shots else []
            again = before & {line.split()[0] for line in later if line}
            if again and scene not in ("mended", "resumed"):
                found.append(f"made again though it was done: {len(again)}")
            return found + ended(folder, scene, chosen.frames)

        status, said = in_child(judged)
        wrong += [f"{where}: {one}" for one in (json.loads(said) if status == 0 else [said])]
        shutil.rmtree(folder)
    return {"scene": scene, "steps": len(names), "kills": kills, "wrong": wrong, "names": sorted(set(names))}


def starve(base: Path, scene: str, code: int, every: int = 1) -> dict[str, Any]:
    """Let each step of an act fail once with an error of the disk (0: with Ctrl-C); then do it again."""
    import shutil

    chosen = SCENES[scene]
    start = base / f"{scene}-{code}-start"
    _begun(start, chosen)
    measured = base / f"{scene}-{code}-steps"
    shutil.copytree(start, measured)
    names = steps(measured, lambda folder: (furnish(folder), chosen.act(folder))[1])
    wrong, count = [], 0
    for at in range(1, len(names) + 1, every):
        if names[at - 1].startswith("net.") and code:
            continue
        folder = base / f"{scene}-{code}-{at}"
        shutil.copytree(start, folder)

        def failed(folder: Path = folder, at: int = at) -> list[str]:
            from lowkey.errors import StoreError

            furnish(folder)
            faults.hook = failing(at, code)
            found = []
            try:
                chosen.act(folder)
            except StoreError as error:
                if error.code != {errno.ENOSPC: "disk-full"}.get(code, "write-failed"):
                    found.append(f"it is called {error.code}")
            except BaseException as error:
                if code or not isinstance(error, KeyboardInterrupt):
                    found.append(f"not an error of the store: {type(error).__name__}: {error}")
            faults.hook = None
            found += [f"right after: {one}" for one in whole(folder / "s")]
            found += [f"left behind: {file.name}" for file in folder.rglob(".lowkey-*.tmp")]
            chosen.act(folder)
            return found + ended(folder, scene, chosen.frames)

        status, said = in_child(failed)
        count += 1
        where = f"{scene} at step {at} ({names[at - 1]})"
        wrong += [f"{where}: {one}" for one in (json.loads(said) if status == 0 else [said])]
        shutil.rmtree(folder)
    return {"scene": scene, "faults": count, "wrong": wrong}


def crowd(base: Path, seconds: float, processes: int = 2) -> dict[str, Any]:
    """Several processes shoot the same frames into one session for a while, and some of them are killed now and then."""
    base.mkdir(parents=True, exist_ok=True)
    photograph(base)
    until = time.monotonic() + seconds
    rounds = kills = 0
    wrong: list[str] = []
    asked = 0
    while time.monotonic() < until:
        rounds += 1
        asked += 6
        seeds = tuple(range(1, asked + 1))

        def work(seeds: tuple[int, ...] = seeds) -> None:
            furnish(base, slow_s=0.005)
            shoot(base / "ana.png", seeds=seeds, size_px=SIZE, meter=False, engine="paid", out=base / "s")

        def killed(rounds: int = rounds, work: Callable[[], None] = work) -> None:
            faults.hook = killer(10 + (rounds * 7) % 60)
            work()

        children = [forked(killed if rounds % 3 == 0 and number == 0 else work) for number in range(processes)]
        for status, said in map(finished, children):
            kills += status == signal.SIGKILL
            if status not in (0, signal.SIGKILL):
                wrong.append(f"round {rounds}: a process ended with {status}: {said}")

        def judged(seeds: tuple[int, ...] = seeds, kills: int = kills) -> list[str]:
            furnish(base)
            # Whoever comes next sweeps up after the dead: the one that was not killed may have looked round before the other died.
            shoot(base / "ana.png", seeds=seeds, size_px=SIZE, meter=False, engine="paid", out=base / "s")
            shots = [line.split()[0] for line in (base / "shots.txt").read_text().splitlines()]
            found = ended(base, "paid", len(seeds))
            if len(shots) - len(set(shots)) > kills:
                found.append(f"{len(shots)} shots for {len(set(shots))} frames, and {kills} processes were killed")
            return found

        status, said = in_child(judged)
        wrong += [f"round {rounds}: {one}" for one in (json.loads(said) if status == 0 else [said])]
        if asked >= shooting.MOST_SEEDS - 6:
            import shutil

            shutil.rmtree(base / "s")
            for name in ("shop.txt", "shots.txt"):
                (base / name).unlink()
            asked = 0
    return {"rounds": rounds, "kills": kills, "wrong": wrong}


def begun_at_once(base: Path, rounds: int, processes: int) -> dict[str, Any]:
    """Several processes open one new session at the same moment, again and again."""
    from lowkey.session.store import Store

    wrong: list[str] = []
    for number in range(rounds):
        folder = base / str(number)
        folder.mkdir(parents=True)
        start = time.monotonic() + 0.02

        def opened(folder: Path = folder, start: float = start) -> list[str]:
            while time.monotonic() < start:
                pass
            Store.open(folder, create=True).close()
            return []

        children = [forked(opened) for _ in range(processes)]
        wrong += [said for status, said in map(finished, children) if status]
        wrong += [f"left behind: {file.name}" for file in folder.iterdir() if file.name.startswith(".")]
    return {"wrong": wrong}


def main(job: dict[str, Any]) -> None:
    """What the tests start: one of the trials above, in a process that has entered no kernel and holds no thread."""
    cv2.setNumThreads(1)
    what = {"torture": torture, "starve": starve, "crowd": crowd, "begun_at_once": begun_at_once}[job.pop("what")]
    sys.stdout.write(json.dumps(what(Path(job.pop("base")), **job)) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

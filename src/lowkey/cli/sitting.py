"""What the commands about sessions say."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lowkey import look as looks
from lowkey.cli import asking
from lowkey.cli.said import warn
from lowkey.errors import LookError, LowkeyError
from lowkey.look import Look
from lowkey.session import known, opening, record


def listed(roots: list[Path], as_json: bool) -> None:
    folders = opening.found(roots or [Path()])
    if not roots:
        here = {folder.resolve() for folder in folders}
        folders += [place.folder for place in known.places() if place.folder.resolve() not in here]
    rows = []
    for folder in folders:
        try:
            with opening.opened(folder) as session:
                rows.append({"folder": str(folder), **_line(record.whole(session.store))})
        except LowkeyError as error:  # one that cannot be read does not hide the others
            rows.append({"folder": str(folder), "problem": str(error)})
    if as_json:
        print(json.dumps({"sessions": rows}, ensure_ascii=False))
        return
    for row in rows:
        if "problem" in row:
            print(f"!! {row['folder']}: {row['problem']}")
        else:
            print(f"{row['folder']}: {row['person']}, {row['frames']} frames, {row['starred']} starred, {row['state']}, {row['started']}")
    if not rows:
        print("no sessions here; lowkey shoot PHOTO begins one")


def _line(told: dict[str, Any]) -> dict[str, Any]:
    frames = told["frames"]
    return {
        "person": told["person"],
        "frames": len(frames),
        "starred": sum(bool(row["stars"]) for row in frames),
        "state": told["state"],
        "started": told["started"],
    }


def show(folder: Path, as_json: bool) -> None:
    with opening.opened(folder) as session:
        told = record.whole(session.store)
        for caution in session.cautions:
            warn(caution)
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
        return
    print(f"{folder}: {told['person']}, begun {told['started']}, {told['state']}")
    for setup in told["setups"]:
        look = setup.get("look", {})
        words = ", ".join(str(look.get(name)) for name in looks.VARIABLES if look.get(name))
        size = "x".join(map(str, setup.get("size_px", [])))
        named = f"{look.get('title') or words} ({size}, {setup.get('engine', 'unknown')})"
        print(f"\n{named}: {setup['state']}, sheet {setup['sheet'] or 'none'}")
        print(f"  {'frame':40s} {'meter':24s} by hand")
        for row in told["frames"]:
            if row["setup"] != setup["setup"]:
                continue
            meter = row.get("meter") or {}
            said = meter.get("headline", "not metered") + (f", place {meter['rank']}" if meter.get("rank") else "")
            hand = " ".join(part for part in ("*" * row["stars"], "rejected" if row["rejected"] else "", row["note"]) if part)
            print(f"  {row['file']:40s} {said:24s} {hand}".rstrip())
    if told["cost_usd"] is not None:
        print(f"\ncost: ${float(told['cost_usd']):.3f} in {len(told['jobs'])} jobs")


def resume(folder: Path, photo: Path | None, budget: str | None, as_json: bool) -> None:
    from lowkey.cli.shooting import Bar
    from lowkey.session import resuming

    with Bar() as bar:
        done = resuming.resume(folder, photo, budget_usd=budget, progress=bar.step)
    for one in done:
        for caution in one.warnings:
            warn(caution)
    if as_json:
        rows = [{"sheet": str(one.sheet), "frames": len(one.frames), "made": one.made} for one in done]
        print(json.dumps({"folder": str(folder), "setups": rows}, ensure_ascii=False))
        return
    for one in done:
        print(f"{one.sheet}: {len(one.frames)} frames, {one.made} of them made now")


def mark(frames: list[Path], **said: Any) -> None:
    from lowkey.session import selecting

    for caution in selecting.mark(frames, **said):
        warn(caution)
    for frame in frames:
        if said.get("stars"):
            print(f"{frame.name}: {'*' * said['stars']}, copied to {frame.parent / selecting.SELECTS}")
        else:
            print(f"{frame.name}: noted")


def export(folder: Path, to: Path, stars: int, private: bool, as_json: bool) -> None:
    from lowkey.session import exporting

    with opening.opened(folder) as session:
        copies = exporting.export(session.store, to, stars=stars, private=private)
    if as_json:
        print(json.dumps({"files": [str(copy) for copy in copies]}, ensure_ascii=False))
        return
    for copy in copies:
        print(copy)


def verify(folder: Path, as_json: bool) -> int:
    from lowkey.session import verifying

    with opening.opened(folder) as session:
        for caution in session.cautions:
            warn(caution)
        findings, good = verifying.verify(session.store)
    wrong = [one for one in findings if one.what != "unfinished"]
    if as_json:
        print(json.dumps({"whole": good, "findings": [asdict(one) for one in findings]}, ensure_ascii=False))
        return 1 if wrong else 0
    for one in findings:
        print(f"{'!!' if one in wrong else '--'}  {one.file}: {one.what}{f' ({one.more})' if one.more else ''}")
    print(f"{good} files are as they were written" + (f", {len(wrong)} are not; lowkey session resume makes frames anew" if wrong else ""))
    return 1 if wrong else 0


def forget(person: str, where: list[Path], photo: bool, keep_consent: bool, yes: bool, as_json: bool) -> int:
    from lowkey.session import forgetting

    roots = where or [Path()]
    if not yes:
        sessions = forgetting.sessions_of(person, roots)
        if as_json:
            print(json.dumps({"would_forget": [str(one) for one in sessions]}, ensure_ascii=False))
        else:
            for one in sessions:
                print(f"would go: {one}")
            print(f"{len(sessions)} sessions of {person}, with their plates{'' if keep_consent else ' and consents'}; --yes does it")
        return 0
    done = forgetting.forget(person, roots, photo_too=photo, keep_consent=keep_consent)
    if as_json:
        names = {name: [str(path) for path in getattr(done, name)] for name in ("removed", "sessions", "left", "photos")}
        print(json.dumps({**names, "searched": done.searched}, ensure_ascii=False))
        return 1 if done.left else 0
    print(f"{len(done.removed)} files removed, of {len(done.sessions)} sessions")
    for path in done.photos:
        print(f"the photo itself stays: {path} (--photo removes it)")
    for path in done.left:
        print(f"!! still there: {path}")
    if not done.left:
        print(f"searched {done.searched} files by hash: nothing else of {person} is left in the folders looked through")
    return 1 if done.left else 0


def _look(name: str | None) -> Look:
    return looks.find(name) if name else Look()


def sweep(
    photo: Path, across: str, down: str | None, look: str | None, seeds: str, size: str | None, option: list[str] | None, as_json: bool,
    **more: Any,
) -> None:  # fmt: skip
    from lowkey.cli.shooting import Bar
    from lowkey.session import sweeping

    axes = [sweeping.axis(text) for text in (across, down) if text is not None]
    with Bar() as bar:
        done = sweeping.sweep(
            photo, *axes, look=_look(look), either_side=look is None, seeds=asking.seeds(seeds), size_px=asking.size(size, None, None),
            options=asking.options(option), progress=bar.step, **more,
        )  # fmt: skip
    made, frames = sum(one.made for one in done.shoots), sum(len(one.frames) for one in done.shoots)
    for caution in dict.fromkeys(one for shot in done.shoots for one in shot.warnings if one.code == "key-side-chosen"):
        warn(caution)
    if as_json:
        paths = [str(one.path) for shot in done.shoots for one in shot.frames]
        print(json.dumps({"grid": str(done.grid), "record": str(done.record), "frames": paths, "made": made}, ensure_ascii=False))
        return
    print(f"{frames} frames, {made} of them made now: {done.folder}")
    print(f"grid: {done.grid}")


def watch(
    folder: Path, look: str | None, seeds: str, size: str | None, option: list[str] | None, out: Path | None, once: bool, as_json: bool,
    **more: Any,
) -> None:  # fmt: skip
    from lowkey.session import watching

    asked = {
        "look": _look(look), "either_side": look is None, "seeds": asking.seeds(seeds), "size_px": asking.size(size, None, None),
        "options": asking.options(option), **more,
    }  # fmt: skip
    if not as_json:
        print(f"watching {folder}; Ctrl-C stops", flush=True)
    for event in watching.watch(folder, asked, out=out, once=once):
        if as_json:
            place = str(event.shoot.folder) if event.shoot else None
            error = {"code": event.code, "message": event.why} if event.code else None
            answer = {"file": str(event.file), "what": event.what, "folder": place, "error": error}
            print(json.dumps(answer, ensure_ascii=False), flush=True)
        elif event.shoot:
            print(f"{event.file.name}: {event.what}, {event.shoot.sheet}", flush=True)
        else:
            print(f"{event.file.name}: set aside: {event.why} [{event.code}]", flush=True)


def consent(
    person: str | None, scopes: list[str], engines: list[str], until: str | None, guardian: str, withdraw: bool, as_json: bool
) -> None:
    from lowkey.session import consent as consents

    if person is None:
        if scopes or engines or until or guardian or withdraw:
            raise LookError("bad-consent", "say whose consent it is: lowkey consent PERSON ...")
        people = consents.everyone()
    elif withdraw:
        people = [consents.withdraw(person)]
    elif scopes or engines or until or guardian:
        people = [consents.agree(person, scopes=scopes, engines=engines, until=until, guardian=guardian)]
    else:
        people = [consents.of_person(person)]
    if as_json:
        rows = [{"person": one.name, "holds": one.now is not None, "history": [asdict(line) for line in one.history]} for one in people]
        print(json.dumps({"people": rows}, ensure_ascii=False))
        return
    for one in people:
        now = one.now
        if now is None:
            print(f"{one.name}: nothing holds" + (" (withdrawn or ended)" if one.history else ""))
            continue
        to = f"; photo may go to {', '.join(now.engines)}" if now.engines else ""
        ends = f"; until {now.until}" if now.until else ""
        by = f"; agreed by {now.guardian}" if now.guardian else ""
        print(f"{one.name}: {', '.join(now.scopes) or 'no use of pictures'}{to}{ends}{by}; on {now.on}")
    if not people:
        print("nobody's consent is on record; lowkey consent PERSON --scope portfolio records one")

"""Everything that reads what strangers wrote, as functions of bytes: each either understands them or says no with a `LowkeyError`.

`test_fuzz.py` feeds them with hypothesis. As a program it is a fuzzer guided by coverage (atheris, libFuzzer inside):

    python tests/fuzzing.py TARGET CORPUS_FOLDER -max_total_time=60
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    import atheris

    # Only what is imported in here is watched for coverage; what was imported before is noise to the fuzzer.
    with atheris.instrument_imports(include=["lowkey", "tomllib", "csv"]):
        import csv  # noqa: F401
        import tomllib  # noqa: F401

        import lowkey.look
        import lowkey.photo.codecs
        import lowkey.photo.png
        import lowkey.prompt.templates
        import lowkey.session.batch
        import lowkey.session.metering
        import lowkey.session.rescue
        import lowkey.session.voting  # noqa: F401

import numpy as np

from lowkey import look as looks
from lowkey.errors import LowkeyError
from lowkey.frame import Framing, Shot
from lowkey.look import Look
from lowkey.photo.png import png_bytes, texts_of, without_texts
from lowkey.prompt.templates import TOKENS
from lowkey.session import batch, consent, files, metadata, metering, opening, record, verifying, voting
from lowkey.spec import Remedy

_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
_KEPT = tempfile.TemporaryDirectory(prefix="lowkey-fuzz-", dir=_MEMORY)
_ROOM = Path(_KEPT.name)


def look_toml(data: bytes) -> None:
    found = looks.from_toml(data.decode("utf-8", "surrogateescape") if data[:1] == b"\xff" else data.decode("utf-8", "replace"))
    assert looks.from_toml(looks.to_toml(found)) == found


def look_json(data: bytes) -> None:
    found = looks.from_json(data.decode("utf-8", "replace"))
    assert looks.from_json(looks.to_json(found)) == found


def template(data: bytes) -> None:
    from lowkey import prompt
    from lowkey.prompt import templates

    text = data.decode("utf-8", "replace")
    filled = templates.fill(text, Look())
    assert isinstance(filled, str)
    prompt.lint(filled)


def sheet_csv(data: bytes) -> None:
    for one in batch._apart(batch.parse_csv(data, Path("photos"), Path("out"))):
        if not one.problem:
            with suppress(LowkeyError):
                batch.look_of(one, Look())


def texts(data: bytes) -> None:
    texts_of(data)
    lean = without_texts(data)
    assert not texts_of(lean) or lean == data


def frame_metadata(data: bytes) -> None:
    """The JSON inside a frame, in a file that is otherwise well formed."""
    inside = data.decode("utf-8", "replace").replace("\0", "")
    found = metadata.carried(png_bytes(np.zeros((2, 2, 3), np.uint8), text={metadata.KEY: inside}))
    assert found.shot.hash()


def record_page(data: bytes) -> None:
    """A record in a folder without a database: read for the meter, for votes, and to build a session from."""
    folder = _fresh()
    (folder / record.NAME).write_bytes(data)
    (folder / "a_s01.png").write_bytes(b"x")
    metering.entry_of(folder / "a_s01.png")
    with opening.opened(folder) as session:
        record.whole(session.store)
        verifying.verify(session.store)
        record.write(session.store)


def session_database(data: bytes) -> None:
    """A session whose database is these bytes, or has them somewhere in it."""
    folder = _fresh()
    base = bytearray(_database())
    if len(data) > 8 and data[0] % 4:
        at = int.from_bytes(data[1:4], "big") % len(base)
        base[at : at + len(data) - 4] = data[4:]
        data = bytes(base)
    (folder / "session.db").write_bytes(data)
    with opening.opened(folder, create=True) as session:
        record.whole(session.store)
        verifying.verify(session.store)
        record.write(session.store)


def votes(data: bytes) -> None:
    file = _fresh() / "votes.json"
    file.write_bytes(data)
    voting.read_votes(file)


def consent_file(data: bytes) -> None:
    os.environ["LOWKEY_DATA"] = str(_fresh())
    consent.folder().mkdir(parents=True, exist_ok=True)
    consent._file("ana").write_bytes(data)
    consent.everyone()
    consent.for_engines("ana")


def photo(data: bytes) -> None:
    """The decoders as the child runs them, with its size limits and without its walls."""
    from lowkey.photo import codecs
    from lowkey.photo.sniff import HEAD_BYTES, kind_of

    kind = kind_of(data[:HEAD_BYTES])
    if kind in ("raw", "heic", "avif"):
        return  # LibRaw and libheif run for seconds on noise; test_hostile.py and test_photo.py try them in the child
    # What the libraries raise the child turns into `photo-damaged`; here only a crash or a hang is a finding.
    with suppress(OSError, ValueError, SyntaxError, MemoryError, EOFError, LookupError, TypeError, ArithmeticError):
        codecs.decode(kind, data, 1.0)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "look_toml": look_toml,
    "look_json": look_json,
    "template": template,
    "sheet_csv": sheet_csv,
    "texts": texts,
    "frame_metadata": frame_metadata,
    "record_page": record_page,
    "session_database": session_database,
    "votes": votes,
    "consent_file": consent_file,
    "photo": photo,
}


def seeds_of(target: str) -> list[bytes]:
    """Well-formed inputs to begin with."""
    shot = Shot(Look(), Framing(), "ab" * 32, 3, (64, 80), remedies=(Remedy("no-fill", 1.0),))
    carried = metadata.texts(shot, "darkroom 1")
    picture = png_bytes(np.arange(192, dtype=np.uint8).reshape(8, 8, 3), text=carried)
    frame = {"file": "a_s01.png", "sha256": files.digest(b"x"), "seed": 1, "shot": "sha256:1", "setup": 1, "stars": 2, "note": "good"}
    setup = {"setup": 1, "key": "k", "state": "done", "sheet": "sheet.png", "look": {"lowkey_look": 1}, "size_px": [64, 80]}
    job = dict.fromkeys(("scope", "shot", "engine", "state", "remote", "url", "why"), "x") | {"estimate": "1", "cost": None, "kept": False}
    sheets = {"sheet.png": {"sha256": "0" * 64}}
    told = {"frames": [frame], "setups": [setup], "jobs": [job], "photo": {"sha256": "ab" * 32}, "files": sheets}
    line = {"on": "2026-01-02", "scopes": ["prints"], "engines": ["bfl"], "until": None, "guardian": "", "withdrawn": False}
    several: dict[str, list[Any]] = {
        "look_toml": [looks.to_toml(Look()), looks.to_toml(looks.find("ember"))],
        "look_json": [looks.to_json(Look()), looks.to_json(looks.find("blackout"))],
        "template": ["".join(f"[{token}], " for token in TOKENS.values()), "a portrait, [[not one]], [LIGHT DIRECTION]"],
        "sheet_csv": ["photo,person,look,seeds\na.jpg,Ana,ember,3\n", "photo;light;out\nb.jpg;95,18;b\n"],
        "texts": [picture],
        "frame_metadata": [carried[metadata.KEY]],
        "record_page": [json.dumps(told)],
        "session_database": [_database()],
        "votes": [json.dumps({"lowkey_votes": 1, "votes": [{"a": "1", "b": "2", "chosen": "1"}], "stars": {"1": 4}})],
        "consent_file": [json.dumps({"lowkey_consent": 1, "person": "ana", "history": [line]})],
        "photo": [png_bytes(np.full((96, 96, 3), 90, np.uint16), text=carried), *_pictures()],
    }
    return [one if isinstance(one, bytes) else one.encode() for one in several[target]]


def run(target: str, data: bytes) -> None:
    """One input: anything but an answer or a `LowkeyError` of the user's side is a finding."""
    with suppress(LowkeyError):
        try:
            TARGETS[target](data)
        except LowkeyError as error:
            if error.exit_code == 70:
                raise RuntimeError(f"a fault of ours: {error}") from error
            raise


def _fresh() -> Path:
    folder = _ROOM / "s"
    for file in sorted(folder.rglob("*"), reverse=True) if folder.exists() else []:
        file.rmdir() if file.is_dir() else file.unlink()
    folder.mkdir(exist_ok=True)
    return folder


def _database() -> bytes:
    kept = _ROOM / "session.db"
    if not kept.exists():
        folder = _ROOM / "make"
        folder.mkdir()
        with opening.opened(folder, create=True) as session:
            store = session.store
            number = store.setup("k", {"look": looks.to_mapping(Look()), "size_px": [64, 80], "seeds": [1, 2], "key": "k"})
            store.ask_frames(number, [(1, "sha256:1", ["a_s01.png"]), (2, "sha256:2", ["a_s02.png"])])
            store.keep(photo={"sha256": "ab" * 32, "stem": "a"}, person="ana")
            with store.writing("test") as db:
                db.execute("UPDATE frames SET sha256 = ?, page = '{\"seed\":1}'", ("0" * 64,))
        kept.write_bytes((folder / "session.db").read_bytes())
    return kept.read_bytes()


def _pictures() -> list[bytes]:
    """One small picture of each kind that Pillow writes and the decoders read in-process."""
    import io

    from PIL import Image

    flat, several = Image.fromarray(np.full((96, 96, 3), 120, np.uint8)), []
    for kind in ("JPEG", "PNG", "GIF", "TIFF", "WEBP"):
        packed = io.BytesIO()
        flat.save(packed, kind, **({"compression": "tiff_deflate"} if kind == "TIFF" else {}))
        several.append(packed.getvalue())
    return several


if __name__ == "__main__":
    name, corpus = sys.argv[1], Path(sys.argv[2])
    corpus.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(seeds_of(name)):
        (corpus / f"seed{index}").write_bytes(seed)
    # libFuzzer leaves without a goodbye, so what it works in lies beside the corpus.
    _ROOM = corpus.with_name(f"{name}-room")
    _ROOM.mkdir(exist_ok=True)
    atheris.Setup([sys.argv[0], str(corpus), *sys.argv[3:]], lambda data: run(name, data))
    atheris.Fuzz()

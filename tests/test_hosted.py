"""Hosted engines against a server that behaves as theirs do: what is sent, what comes back, and everything that can go wrong."""

from __future__ import annotations

import base64
import datetime
import json
import logging
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("httpx", reason="needs the extra: pip install 'lowkey[remote]'")

from ledgers import FileLedger
from lowkey import engines, photo
from lowkey.engines import Consent, Sitting, Step, wire
from lowkey.engines.hosted import pricelist
from lowkey.engines.hosted.engine import Hosted
from lowkey.errors import ConsentError, EngineError, LookError
from lowkey.frame import Framing, Shot
from lowkey.look import Look
from services import KEY, SIGNATURE, Service, service

SERVICES = ("bfl", "replicate", "fal")
VARIABLES = {"bfl": "BFL_API_KEY", "replicate": "REPLICATE_API_TOKEN", "fal": "FAL_KEY"}


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> photo.Photo:
    """The sample portrait as a JPEG that says where it was taken and by which camera."""
    import skimage.data
    from PIL import Image

    path = tmp_path_factory.mktemp("tagged") / "client-anna.jpg"
    tags = Image.Exif()
    tags[0x010F], tags[0x9003], tags[0xA431] = "CAMERAMAKER", "2026:01:02 03:04:05", "SERIAL12345"
    tags.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    Image.fromarray(skimage.data.astronaut()).save(path, exif=tags, quality=95)
    assert b"SERIAL12345" in path.read_bytes()
    return photo.read(path)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[str, Service]]:
    monkeypatch.setenv("LOWKEY_CONFIG", str(tmp_path / "config"))
    for variable in VARIABLES.values():
        monkeypatch.setenv(variable, KEY)
    with service() as running:
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> FileLedger:
    return FileLedger(tmp_path / "ledger.jsonl")


def sitting(portrait: photo.Photo, *, consent: bool = True, guide: Any = None) -> Sitting:
    def never() -> Any:
        raise AssertionError("the plate is not needed for the photo's own framing")

    agreed = Consent("Anna", frozenset({*SERVICES, "comfyui"})) if consent else None
    return Sitting(portrait, never, consent=agreed, guide=guide)


def shot(engine: Hosted, seed: int = 7, size: tuple[int, int] = (256, 320), look: Look | None = None) -> Shot:
    return Shot(look or Look(), Framing(aspect=(4, 5), source=True), "ab" * 32, seed, size, engine.name, engine.options)


def made(name: str, base: str, **options: str) -> Hosted:
    engine = engines.find(name, {"host": base, "patience": "20", **options})
    assert isinstance(engine, Hosted)
    engine.pace_s, engine.lost_after_s = 0.02, 0.3
    return engine


@pytest.mark.parametrize("name", SERVICES)
def test_a_frame_comes_back_exact_and_the_request_is_as_the_contract_says(
    name: str, there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo
) -> None:
    base, memory = there
    engine = made(name, base)
    steps: list[Step] = []
    frame = engine.shoot(shot(engine), sitting(tagged), ledger=ledger, progress=steps.append)
    assert frame.pixels.shape == (320, 256, 3)
    assert frame.pixels.dtype == np.uint16
    assert (frame.pixels[..., 2] == 7 * 257).all()  # the picture of seed 7, code for code
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert (steps[0].done, steps[-1].done, steps[-1].of, steps[-1].left_s) == (0, 4, 4, 0.0)
    assert memory.paid == 1
    assert memory.leaks == []
    body = memory.bodies(engine.model.path)[0]
    said = body.get("input", body)
    assert said["seed"] == 7
    assert said["output_format"] == "png"
    assert said["prompt"] == frame.words["text"]  # type: ignore[index]
    assert {"bfl": "width" in said, "replicate": said.get("aspect_ratio") == "custom", "fal": "image_size" in said}[name]
    [job] = ledger.jobs()
    assert (job.state, job.id) == ("done", "job-1")
    assert job.cost_usd == Decimal("0.045")
    assert frame.notes["cost_usd"] == "0.0450"
    assert frame.notes["cost_by"] == ("the service" if name == "bfl" else "the price list")
    assert frame.notes["photo"]["went_to"] == base.removeprefix("http://")
    assert memory.files == {}  # what was laid into Replicate's files is gone
    [headers] = [headers for method, path, headers, _ in memory.seen if method == "POST" and path == engine.model.path]
    assert ("x-fal-object-lifecycle-preference" in headers) == (name == "fal")


@pytest.mark.parametrize("name", SERVICES)
def test_no_metadata_of_the_photo_leaves(name: str, there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    engine = made(name, base)
    engine.shoot(shot(engine), sitting(tagged, guide=np.full((40, 32, 3), 9000, np.uint16)), ledger=ledger)
    sent = b"".join(body for _, _, _, body in memory.seen)
    pictures = []
    for body in memory.bodies(engine.model.path):
        said = body.get("input", body)
        texts = [said.get("input_image"), said.get("input_image_2"), *said.get("image_urls", ())]
        pictures += [base64.b64decode(one.removeprefix("data:image/png;base64,")) for one in texts if one]
    pictures += [body for method, path, _, body in memory.seen if path == "/v1/files"]
    assert len(pictures) == 2  # the photo and the guide
    for data in [sent, *pictures]:
        for word in (b"CAMERAMAKER", b"SERIAL12345", b"2026:01:02", b"Exif", b"eXIf", b"GPS", b"client-anna", b"tEXt", b"iTXt", b"tIME"):
            assert word not in data, word


def test_nothing_leaves_without_a_consent(there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    engine = made("bfl", base)
    past = Consent("Anna", frozenset({"bfl"}), datetime.date(2020, 1, 1))
    other = Consent("Anna", frozenset({"fal"}))
    for consent in (None, past, other):
        asked = sitting(tagged)
        asked.consent = consent
        for call in (engine.check, engine.shoot):
            with pytest.raises(ConsentError):
                call(shot(engine), asked)
    assert memory.seen == []
    assert ledger.lines() == []


def test_no_ledger_no_budget_no_key_no_request(there: tuple[str, Service], tmp_path: Path, tagged: photo.Photo, monkeypatch: Any) -> None:
    base, memory = there
    engine = made("bfl", base)
    poor = FileLedger(tmp_path / "poor.jsonl", budget_usd="0.04")
    for ledger, code in ((None, "no-ledger"), (poor, "over-budget")):
        with pytest.raises(EngineError) as refused:
            engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
        assert refused.value.code == code
    monkeypatch.delenv("BFL_API_KEY")
    with pytest.raises(EngineError, match="no BFL_API_KEY was found"):
        engine.check(shot(engine), sitting(tagged))
    assert engine.ready().missing
    assert memory.seen == []


@pytest.mark.parametrize(
    ("size", "asked", "brought"),
    [
        ((256, 320), (256, 320), "as it came"),
        ((250, 310), (256, 320), "cropped"),
        ((2000, 3000), (1632, 2448), "enlarged"),
    ],
)
def test_every_size_comes_out_exact(
    size: tuple[int, int], asked: tuple[int, int], brought: str, there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo
) -> None:
    base, memory = there
    engine = made("bfl", base)
    frame = engine.shoot(shot(engine, size=size), sitting(tagged), ledger=ledger)
    body = memory.bodies(engine.model.path)[0]
    assert (body["width"], body["height"]) == asked
    assert frame.pixels.shape == (size[1], size[0], 3)
    assert brought in frame.notes["brought"]
    assert frame.notes["came_px"] == list(asked)


@pytest.mark.parametrize("name", SERVICES)
def test_kontext_takes_an_aspect_and_no_size(name: str, there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    engine = made(name, base, model="flux-kontext-pro")
    frame = engine.shoot(shot(engine, size=(320, 480)), sitting(tagged), ledger=ledger)
    body = memory.bodies(engine.model.path)[0]
    said = body.get("input", body)
    assert said["aspect_ratio"] == "2:3"
    assert not {"width", "height", "image_size"} & set(said)
    assert frame.pixels.shape == (480, 320, 3)
    assert "width" not in frame.words["parameters"]  # type: ignore[index]
    assert not engine.abilities.guide
    with pytest.raises(LookError, match="takes one picture"):
        engine.check(shot(engine), sitting(tagged, guide=np.zeros((8, 8, 3), np.uint16)))


def test_an_answer_of_another_size_is_cropped_never_stretched(there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.size_px = (300, 320)
    engine = made("bfl", base)
    frame = engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert frame.pixels.shape == (320, 256, 3)
    ramp = frame.pixels[0, :, 0].astype(float) / 257
    assert ramp[0] == pytest.approx(200 * 22 / 299, abs=1.5)  # the middle 256 columns of 300
    assert frame.notes["brought"] == "cropped by 14.7 %"


# --- what a service refuses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize(
    ("fault", "code", "state"),
    [
        ("401", "key-refused", "failed"),
        ("403", "key-refused", "failed"),
        ("402", "no-credit", "failed"),
        ("404", "not-there", "failed"),
        ("422", "request-refused", "failed"),
        ("policy", "moderated", "refused"),
        ("429-long", "too-many-requests", "failed"),
        ("500", "service-failed", "intended"),
        ("503", "service-failed", "intended"),
        ("drop", "unreachable", "intended"),
        ("json", "odd-answer", "intended"),
        ("html", "odd-answer", "intended"),
        ("list", "odd-answer", "intended"),
        ("no-id", "odd-answer", "intended"),
        ("redirect", "odd-answer", "intended"),
    ],
)
def test_a_request_that_is_not_taken_has_its_own_error(
    name: str, fault: str, code: str, state: str, there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo
) -> None:
    base, memory = there
    memory.faults["submit"] = [fault]
    engine = made(name, base)
    with pytest.raises(EngineError) as refused:
        engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert refused.value.code == code
    assert ledger.jobs()[-1].state == state
    assert memory.leaks == []
    assert memory.files == {}
    # What may have been taken is not sent again without a word; what surely was not, is.
    paid = memory.paid
    if state == "intended":
        with pytest.raises(EngineError) as twice:
            engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
        assert twice.value.code == "maybe-paid"
        assert memory.paid == paid
        again = made(name, base, resend="yes")
        assert shot(again).hash() == shot(engine).hash()
        again.shoot(shot(again), sitting(tagged), ledger=ledger)
    else:
        engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert memory.paid == paid + 1


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize(("fault", "code", "state"), [("moderated", "moderated", "refused"), ("failed", "service-failed", "failed")])
def test_a_job_that_ends_without_a_picture(
    name: str, fault: str, code: str, state: str, there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo
) -> None:
    base, memory = there
    memory.faults["poll"] = ["", fault]
    memory.polls_to_go = 5
    engine = made(name, base)
    with pytest.raises(EngineError) as refused:
        engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert refused.value.code == code
    assert ledger.jobs()[-1].state == state
    assert memory.files == {}


def test_fal_s_black_picture_is_no_frame(there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.polls_to_go = 30
    engine = made("fal", base)

    def flag(step: Step) -> None:
        for job in memory.jobs.values():
            job["nsfw"], job["polls"] = True, 0

    with pytest.raises(EngineError) as refused:
        engine.shoot(shot(engine), sitting(tagged), ledger=ledger, progress=flag)
    assert refused.value.code == "moderated"


# --- what passes by itself -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_a_storm_passes_and_is_paid_once(name: str, there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.faults["submit"] = ["429", "429", "429"]
    memory.faults["poll"] = ["429", "500", "503", "drop", "json", "html", "list", "lost"]
    memory.faults["result"] = ["short", "500", "type", "rubbish"]
    engine = made(name, base)
    frame = engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert (frame.pixels[..., 2] == 7 * 257).all()
    assert memory.paid == 1
    assert ledger.jobs()[-1].state == "done"


def test_a_storm_that_does_not_pass_ends(there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.faults["submit"] = ["429"] * 100
    engine = made("bfl", base)
    with pytest.raises(EngineError) as refused:
        engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert refused.value.code == "too-many-requests"
    assert len(memory.faults["submit"]) == 94
    assert (memory.paid, ledger.jobs()[-1].state) == (0, "failed")


def test_a_wrong_clock_does_not_lengthen_a_wait(there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.faults["submit"] = ["429-date"]
    engine = made("bfl", base)
    start = time.monotonic()
    engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert 1.0 <= time.monotonic() - start < 15  # the second asked for, not the day between the clocks


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry-after": "5"}, b"", 5.0),
        ({"retry-after": "0.5"}, b"", 0.5),
        ({"retry-after": "-3"}, b"", 0.0),
        ({"retry-after": "nan"}, b"", None),
        ({"retry-after": "soon"}, b"", None),
        ({}, b'{"retry_after": 7}', 7.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:10 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"", 10.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT", "date": "Wed, 21 Oct 2015 07:28:30 GMT"}, b"", 0.0),
        ({}, b"", None),
    ],
)
def test_retry_after(headers: dict[str, str], body: bytes, seconds: float | None) -> None:
    assert wire.retry_after_s(wire.Answer(429, headers, body)) == seconds


def test_words_that_nobody_knows_yet_are_waited_for(there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.polls_to_go, memory.statuses = 4, ["Pending", "Reasoning", "Generating", "Dreaming"]
    engine = made("bfl", base)
    steps: list[Step] = []
    engine.shoot(shot(engine), sitting(tagged), ledger=ledger, progress=steps.append)
    assert any("50 %" in step.what for step in steps)
    assert ledger.jobs()[-1].state == "done"


def test_what_is_never_done_stays_in_the_ledger(there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.polls_to_go = 10_000
    engine = made("bfl", base, patience="1")
    with pytest.raises(EngineError) as late:
        engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert late.value.code == "timed-out"
    assert ledger.jobs()[-1].state == "submitted"
    memory.jobs["job-1"]["polls"] = 0
    frame = made("bfl", base).shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert frame.notes["resumed"]
    assert memory.paid == 1


def test_an_address_that_ran_out_is_asked_for_again(there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.faults["result"] = ["expired"]
    engine = made("bfl", base)
    engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    links = [path for method, path, _, _ in memory.seen if path.startswith("/result")]
    assert len(links) == 2
    assert links[0] != links[1]


def test_a_picture_that_is_gone_is_said_to_be(there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.faults["result"] = ["expired"] * 20
    engine = made("bfl", base)
    with pytest.raises(EngineError) as gone:
        engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert gone.value.code == "result-expired"
    [job] = ledger.jobs()
    assert (job.state, job.cost_usd) == ("failed", Decimal("0.045"))


@pytest.mark.parametrize("name", SERVICES)
def test_a_job_that_the_service_forgot(name: str, there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.faults["poll"] = ["lost"] * 500
    engine = made(name, base)
    with pytest.raises(EngineError) as gone:
        engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert gone.value.code == "result-lost"


@pytest.mark.parametrize(
    ("fault", "code"), [("huge", "odd-answer"), ("huge-said", "odd-answer"), ("rubbish", "bad-picture"), ("type", "bad-picture")]
)
def test_no_picture_is_taken_for_one(fault: str, code: str, there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.faults["result"] = [fault] * 20
    engine = made("bfl", base, patience="4")
    with pytest.raises(EngineError) as wrong:
        engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert wrong.value.code == code
    assert ledger.jobs()[-1].state == "submitted"


@pytest.mark.parametrize("step", ["submit", "poll", "result"])
def test_a_server_that_drips_holds_nobody(
    step: str, there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, memory = there
    memory.faults[step] = ["drip-body" if step == "result" else "drip"]
    send, fetch = wire.Wire.send, wire.Wire.fetch
    monkeypatch.setattr(wire.Wire, "send", lambda *a, **k: send(*a, **{**k, "within_s": 0.7}))
    monkeypatch.setattr(wire.Wire, "fetch", lambda *a, **k: fetch(*a, **{**k, "within_s": 0.7}))
    engine = made("bfl", base)
    start = time.monotonic()
    if step == "submit":
        with pytest.raises(EngineError) as late:
            engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
        assert late.value.code == "timed-out"
        assert ledger.jobs()[-1].state == "intended"
    else:
        engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert time.monotonic() - start < 12  # the drip goes on for twenty seconds


# --- keys ------------------------------------------------------------------------------------------------------------------------


def test_the_key_goes_to_no_foreign_host(there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.faults["submit"] = ["foreign"]
    engine = made("bfl", base)
    with pytest.raises(EngineError) as refused:
        engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    assert refused.value.code == "foreign-host"
    assert ledger.jobs()[-1].state == "submitted"  # it was taken, and paid for


@pytest.mark.parametrize(
    ("url", "may"),
    [
        ("https://api.bfl.ai/v1/x", True),
        ("https://api.eu2.bfl.ai/v1/x", True),
        ("https://api.bfl.ai:443/v1/x", True),
        ("http://api.bfl.ai/v1/x", False),
        ("https://api.bfl.ai:8443/v1/x", False),
        ("https://bfl.ai.example.com/", False),
        ("https://evilbfl.ai/", False),
        ("https://api.bfl.ai@example.com/", False),
        ("https://example.com/?x=.bfl.ai", False),
        ("https://127.0.0.1/", False),
        ("https://[::1", False),
        ("ftp://api.bfl.ai/", False),
    ],
)
def test_who_may_have_the_key(url: str, may: bool) -> None:
    assert wire.Wire("BFL", hosts=("*.bfl.ai",)).may_have_key(url) is may


@pytest.mark.parametrize("host", ["http://example.com", "https://user:secret@example.com", "example.com", "https://x?y=1", "file:///x", "https://["])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(EngineError, match="bad-option"):
        engines.find("bfl", {"host": host})


def test_a_redirect_of_the_picture_is_followed_without_a_key(there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.faults["result"] = ["hop", "hop"]
    engine = made("bfl", base)
    engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    hosts = [headers["host"].split(":")[0] for _, path, headers, _ in memory.seen if path.startswith("/result")]
    assert hosts == ["127.0.0.1", "localhost", "localhost"]
    assert memory.leaks == []


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_in_anything_that_is_kept_or_shown(
    name: str,
    there: tuple[str, Service],
    ledger: FileLedger,
    tagged: photo.Photo,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The key, and the signed address of a picture, in no log, record, note, error, cause, context or local variable."""
    base, memory = there
    caplog.set_level(logging.DEBUG)
    send = wire.Wire.send
    monkeypatch.setattr(wire.Wire, "send", lambda *a, **k: send(*a, **{**k, "within_s": 0.5}))
    shown: list[str] = []
    engine = made(name, base)
    frame = engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
    shown += [json.dumps(dict(frame.notes)), json.dumps(frame.words), repr(frame.shot)]
    shown += [repr(engine), repr(engine.ready()), repr(engine.options)]
    faults = [("submit", one) for one in ("401", "422", "500", "drop", "json", "redirect", "drip")]
    faults += [("poll", "401"), ("result", "rubbish"), ("result", "drop")]
    for number, (step, fault) in enumerate(faults):
        memory.faults.clear()
        memory.faults[step] = [fault] * 30
        hasty = made(name, base, patience="1")
        try:
            hasty.shoot(shot(hasty, seed=100 + number), sitting(tagged), ledger=ledger)
        except EngineError as error:
            shown += _everything_of(error)
        else:
            raise AssertionError(f"{step} {fault} went well")
    shown += [record.getMessage() for record in caplog.records] + [repr(record.args) for record in caplog.records]
    shown += [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    assert any("HTTP Request" in one for one in shown)  # the logs were heard
    for one in shown:
        assert KEY not in one
        assert base64.b64encode(KEY.encode()).decode() not in one
        assert SIGNATURE not in one


def _everything_of(error: BaseException) -> list[str]:
    """An error's words, its chain, and each frame's local variables as a careless traceback would show them."""
    said = [str(error), repr(error), "".join(traceback.format_exception(error))]
    seen: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        todo += [one.__cause__, one.__context__]
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if frame.f_globals.get("__name__", "").startswith(("lowkey", "httpx", "httpcore")):
                said += [repr(value) for value in frame.f_locals.values()]
                held = [getattr(value, "headers", None) for value in frame.f_locals.values()]
                said += [repr(dict(headers)) for headers in held if isinstance(headers, Mapping)]
    return said


# --- many at once, and the end ------------------------------------------------------------------------------------------------------


def test_no_more_on_their_way_than_the_service_takes(there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    memory.polls_to_go = 6
    engine = made("bfl", base, model="flux-kontext-max", patience="90")
    assert pricelist.of("bfl").in_flight(engine.model) == 6
    assert pricelist.of("bfl").in_flight(pricelist.of("bfl").model("flux-2-pro")) == 24
    lock = threading.Lock()

    class Shared(FileLedger):
        def _kept(self, job: Any) -> Any:
            return super()._kept(job)

        def intend(self, *a: Any, **k: Any) -> Any:
            with lock:
                return super().intend(*a, **k)

    shared = Shared(ledger.path)
    threads = [
        threading.Thread(target=lambda s=seed: engine.shoot(shot(engine, seed=s, size=(64, 80)), sitting(tagged), ledger=shared))
        for seed in range(1, 11)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert memory.paid == 10
    assert [job.state for job in shared.jobs()] == ["done"] * 10
    assert 4 <= memory.most_in_flight <= 6


@pytest.mark.parametrize(("name", "state"), [("bfl", "submitted"), ("replicate", "failed"), ("fal", "submitted")])
def test_cancel_ends_the_take_and_pays_at_most_once(
    name: str, state: str, there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo
) -> None:
    base, memory = there
    memory.polls_to_go = 10_000
    engine = made(name, base)
    start = time.monotonic()
    with pytest.raises(EngineError) as stopped:
        engine.shoot(shot(engine), sitting(tagged), ledger=ledger, cancel=lambda: bool(memory.jobs) and time.monotonic() > start + 0.5)
    assert stopped.value.code == "cancelled"
    assert ledger.jobs()[-1].state == state
    assert memory.files == {}
    with pytest.raises(EngineError):
        engine.shoot(shot(engine, seed=8), sitting(tagged), ledger=ledger, cancel=lambda: True)
    assert memory.paid == 1


def test_the_price_is_worked_out_as_the_list_says() -> None:
    def price(service: str, model: str, size: tuple[int, int], references: int = 1) -> Decimal:
        return pricelist.of(service).model(model).price(size, ((1024, 1024),) * references)

    assert price("bfl", "flux-2-pro", (1024, 1024)) == Decimal("0.045")
    assert price("bfl", "flux-2-pro", (1024, 1280)) == Decimal("0.06")
    assert price("bfl", "flux-2-pro", (1024, 1024), 2) == Decimal("0.06")
    assert price("bfl", "flux-2-max", (2048, 2048)) == Decimal("0.19")
    assert price("bfl", "flux-kontext-max", (832, 1248)) == Decimal("0.08")
    assert price("bfl", "flux-3-image-klein", (832, 1248)) == Decimal("0.009")
    assert price("bfl", "flux-3-image-klein", (1600, 2000)) == Decimal("0.014")


@pytest.mark.parametrize("name", SERVICES)
def test_every_model_of_a_list_can_be_asked(name: str, there: tuple[str, Service], ledger: FileLedger, tagged: photo.Photo) -> None:
    base, memory = there
    for model in pricelist.of(name).models:
        engine = made(name, base, model=model)
        frame = engine.shoot(shot(engine), sitting(tagged), ledger=ledger)
        assert frame.pixels.shape == (320, 256, 3), model
        assert engine.abilities.cost.startswith("about $")
    assert memory.paid == len(pricelist.of(name).models)
    with pytest.raises(EngineError, match="unknown-model"):
        made(name, base, model="flux-9")


def test_the_page_of_prices_is_what_the_tables_say() -> None:
    page = (Path(__file__).parent.parent / "docs" / "remote.md").read_text()
    one, two = (1024, 1024), (1024, 2048)
    rows = []
    for name in SERVICES:
        prices = pricelist.of(name)
        for model in map(prices.model, prices.models):
            title = f"{model.name} (default)" if model.name == prices.default else model.name
            cost = [f"{model.price(size, (one,)).normalize():f}" for size in (one, two)]
            size = "exact" if model.exact else "aspect"
            rows.append(f"| `{name}` | {title} | {cost[0]} | {cost[1]} | {model.references} | {size} | {model.dialect} |")
    assert [row for row in rows if row not in page] == []
    assert page.count("| `bfl` |") - 1 == len(pricelist.of("bfl").models)


def test_the_remote_extra_is_locked_as_declared() -> None:
    import re
    import tomllib

    from packaging.requirements import Requirement

    root = Path(__file__).parent.parent
    lines = (root / "requirements" / "remote.txt").read_text().splitlines()
    lock = dict(line.split("==") for line in lines if "==" in line and line[0] != "#")
    for line in tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]["remote"]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(lock[wanted.name]), line
        assert re.search(rf"\b{wanted.name}\b", (root / "README.md").read_text().split("## What it stands on")[1])


def test_likeness_is_off_until_the_user_says_yes() -> None:
    for name in SERVICES:
        silent, said = engines.find(name), engines.find(name, {"likeness": "yes"})
        assert (silent.abilities.likeness, said.abilities.likeness) == (False, True)
        assert said.options != silent.options
    assert engines.find("comfyui").abilities.likeness
    assert not engines.find("comfyui", {"model": "kontext"}).abilities.likeness


@pytest.mark.parametrize("name", [*SERVICES, "comfyui"])
def test_every_setting_is_on_the_page(name: str) -> None:
    page = (Path(__file__).parent.parent / "docs" / "remote.md").read_text()
    with pytest.raises(EngineError, match="unknown-option") as refused:
        engines.find(name, {"nothing-of-the-kind": "1"})
    for option in refused.value.message.rsplit("it has: ", 1)[1].split(", "):
        assert f"| `{option}` |" in page, option

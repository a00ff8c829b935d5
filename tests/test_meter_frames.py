"""The meter reads back the rig: a darkroom frame and the same frame spoiled in known ways."""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from lowkey import rig
from lowkey.darkroom import Enlarger
from lowkey.frame import Frame, Framing, Placement
from lowkey.look import Look
from lowkey.meter import CannotJudge, Measure, Reading, measure
from lowkey.pixels import srgb_decode, srgb_encode
from lowkey.plate.plate import Plate
from lowkey.rig import Direction, Source

SIZE = (512, 640)


@pytest.fixture(scope="module")
def enlarger(astronaut_plate: Plate) -> Enlarger:
    return Enlarger(astronaut_plate, Framing(), SIZE)


@pytest.fixture(scope="module")
def frame(enlarger: Enlarger) -> Frame:
    return enlarger.develop(rig.of(Look()), 3)


@pytest.fixture(scope="module")
def reading(frame: Frame, astronaut_plate: Plate) -> Reading:
    return measure(frame, astronaut_plate)


def number(reading: Reading, name: str) -> float:
    value = reading.number(name)
    assert value is not None, reading[name]
    return value


def codes(frame: Frame) -> np.ndarray:
    return np.asarray(frame.pixels // 257, np.uint8)


def relit(frame: Frame, gain: float | np.ndarray) -> np.ndarray:
    return np.asarray(np.round(srgb_encode(np.clip(srgb_decode(codes(frame) / 255) * gain, 0, 1)) * 255), np.uint8)


def test_it_is_low_key_and_lit_from_the_right_by_one_light(reading: Reading, frame: Frame) -> None:
    assert reading.low_key is True
    assert reading.word("lit_side") == "right"
    assert number(reading, "lights") == 1
    key = frame.rig.key.direction
    assert isinstance(key, Direction)
    read = Direction(number(reading, "key_azimuth_deg"), number(reading, "key_elevation_deg"))
    error = np.degrees(np.arccos(np.clip(np.dot(read.vector, key.vector), -1, 1)))
    assert error < min(15.0, 2 * number(reading, "key_direction_sigma_deg"))


def test_the_photo_itself_is_not_low_key(astronaut_plate: Plate) -> None:
    assert measure(astronaut_plate.photo).low_key is False


def test_the_lamp_is_where_the_rig_put_it(enlarger: Enlarger, astronaut_plate: Plate) -> None:
    frame = enlarger.develop(rig.of(Look(flare="multi-ring anamorphic flare")), 3)
    reading = measure(frame, astronaut_plate)
    fw, fh = frame.rig.lamp.place_fw_fh
    assert number(reading, "lamp_x_fw") == pytest.approx(fw, abs=0.01)
    assert number(reading, "lamp_y_fh") == pytest.approx(fh, abs=0.01)


def test_a_hidden_lamp_is_told_by_its_glow(reading: Reading, frame: Frame) -> None:
    """Behind the head there is no disc to measure: its halo is brightest right beside the outline, a little further out."""
    fw, fh = frame.rig.lamp.place_fw_fh
    assert reading.word("flare") == "halo"
    assert isinstance(reading["lamp_radius_fh"], CannotJudge)
    assert np.hypot((number(reading, "lamp_x_fw") - fw) * SIZE[0] / SIZE[1], number(reading, "lamp_y_fh") - fh) < 0.06


def test_no_lamp_no_halo(enlarger: Enlarger, astronaut_plate: Plate) -> None:
    reading = measure(enlarger.develop(rig.of(Look(flare="no flare")), 3), astronaut_plate)
    assert reading.word("flare") == "none"
    assert isinstance(reading["lamp_x_fw"], CannotJudge)


def test_motes_are_counted(enlarger: Enlarger, astronaut_plate: Plate) -> None:
    """At 640 px what hangs out of the beam is too dim to be seen, and the finest are lost in the grain. Dust hangs where it hangs, so it is
    counted and not taken by the area that happens to be free: the count is the square of value over sigma."""
    asked = rig.of(Look())
    none = measure(enlarger.develop(replace(asked, motes=replace(asked.motes, per_fh2=0.0)), 3), astronaut_plate)
    some = measure(enlarger.develop(replace(asked, motes=replace(asked.motes, per_fh2=200.0)), 3), astronaut_plate)
    more = measure(enlarger.develop(replace(asked, motes=replace(asked.motes, per_fh2=500.0)), 3), astronaut_plate)
    assert number(none, "motes_per_fh2") < 15
    told = some.measures["motes_per_fh2"]
    assert told.sigma
    scattered = 200 * SIZE[0] / SIZE[1]
    assert 0.33 * scattered < (number(some, "motes_per_fh2") / told.sigma) ** 2 < 1.1 * scattered
    assert number(more, "motes_per_fh2") > 1.5 * number(some, "motes_per_fh2")


def test_grain_follows_the_stock(astronaut_plate: Plate) -> None:
    """Twice the granularity reads as twice, at 1280 px: measured .86 of the stock's own figure, at any strength."""
    asked, enlarger = rig.of(Look()), Enlarger(astronaut_plate, Framing(), (1024, 1280))
    read = []
    for rms in (0.014, 0.028):
        frame = enlarger.develop(replace(asked, stock=replace(asked.stock, grain_rms=rms)), 3)
        read.append(number(measure(frame, astronaut_plate), "grain_rms_density"))
    assert read[1] / read[0] == pytest.approx(2.0, rel=0.2)
    assert read[1] == pytest.approx(0.028, rel=0.3)


def test_exposure_moves_tones_and_leaves_the_light(frame: Frame, reading: Reading, astronaut_plate: Plate) -> None:
    """One stop down: highlights fall by the code of a stop, black grows, the ratio and the direction stay."""
    darker = measure(relit(frame, 0.5), astronaut_plate, frame.placement)
    was, now = number(reading, "highlight_code"), number(darker, "highlight_code")
    assert srgb_decode(np.array(now / 255)) / srgb_decode(np.array(was / 255)) == pytest.approx(0.5, rel=0.05)
    assert number(darker, "frame_black_share") > number(reading, "frame_black_share") + 0.05
    assert number(darker, "lighting_ratio_stops") == pytest.approx(number(reading, "lighting_ratio_stops"), abs=0.4)
    assert number(darker, "key_azimuth_deg") == pytest.approx(number(reading, "key_azimuth_deg"), abs=3)


def test_a_lifted_shadow_loses_its_ratio(frame: Frame, reading: Reading, astronaut_plate: Plate) -> None:
    lifted = measure(np.asarray(30 + codes(frame) * (225 / 255), np.uint8), astronaut_plate, frame.placement)
    # What lifting does to the medians of both sides is arithmetic; half-tones that now count as shade can only make it less.
    was, ratio = number(reading, "shadow_median_code"), number(reading, "lighting_ratio_stops")
    dark = srgb_decode(np.array(was / 255))
    lit = 255 * srgb_encode(np.asarray(dark * 2**ratio))
    expected = np.log2(srgb_decode((30 + lit * 225 / 255) / 255) / srgb_decode(np.array((30 + was * 225 / 255) / 255)))
    assert expected < ratio - 0.8
    assert 1 < number(lifted, "lighting_ratio_stops") < expected + 0.25
    assert number(lifted, "shadow_median_code") > 30
    assert number(lifted, "frame_black_share") == 0


def test_a_blown_cheek_is_clipped(frame: Frame, reading: Reading, astronaut_plate: Plate) -> None:
    blown = measure(relit(frame, 3.0), astronaut_plate, frame.placement)
    assert number(reading, "face_clipped_share") < 0.01
    assert number(blown, "face_clipped_share") > 0.1


def test_a_second_light_is_named(enlarger: Enlarger, astronaut_plate: Plate) -> None:
    asked = rig.of(Look())
    across = Source(Direction(-80, 15), tuple(0.4 * v for v in asked.key.irradiance_rgb))  # type: ignore[arg-type]
    reading = measure(enlarger.develop(replace(asked, extra=(*asked.extra, across)), 3), astronaut_plate)
    assert number(reading, "lights") == 2
    assert reading.word("lit_side") == "both"


def test_texture_is_named_for_what_it_is(frame: Frame, reading: Reading, astronaut_plate: Plate) -> None:
    assert reading.word("texture_kind") == "film grain"

    def kind(pixels: np.ndarray) -> str | None:
        return measure(pixels, astronaut_plate, frame.placement).word("texture_kind")

    soft = cv2.GaussianBlur(codes(frame), (0, 0), 1.6)
    noisy = np.clip(soft + np.random.default_rng(3).normal(0, 7, soft.shape), 0, 255).astype(np.uint8)
    assert kind(noisy) == "chroma noise"
    held = io.BytesIO()
    Image.fromarray(codes(frame)).save(held, "JPEG", quality=30)
    assert kind(np.array(Image.open(held))) == "jpeg blocks"
    assert kind((soft // 10 * 10).astype(np.uint8)) == "banding"


def test_likeness_of_the_person_and_of_somebody_else(reading: Reading, frame: Frame, astronaut_plate: Plate) -> None:
    """The person is never called another; the same plate turned upside down in hue and form would be."""
    assert reading.word("likeness") != "not"
    assert number(reading, "likeness_distance") < 0.62
    # Somebody else: the face stretched by a third and its features moved.
    wide = cv2.resize(codes(frame), None, fx=1.35, fy=1.0)
    other = np.ascontiguousarray(wide[:, (wide.shape[1] - SIZE[0]) // 2 :][:, : SIZE[0]])
    stretched = measure(other, astronaut_plate, frame.placement)
    assert number(stretched, "likeness_distance") > number(reading, "likeness_distance")


def test_a_landscape_crop_tells_by_its_shape(frame: Frame, astronaut_plate: Plate) -> None:
    top = 60
    crop, at = codes(frame)[top : top + 341], frame.placement
    reading = measure(crop, astronaut_plate, Placement(at.scale, at.tx, at.ty - top))
    assert number(reading, "frame_aspect") > 1.4
    assert reading.word("lit_side") == "right"


def test_a_frame_without_its_placement_is_found_again(frame: Frame, reading: Reading, astronaut_plate: Plate) -> None:
    """From elsewhere, in the dark: the face is read in a lifted copy or carried by the eyes; the answer agrees, less surely."""
    eyes = frame.placement.points(astronaut_plate.landmarks[[468, 473], :2])
    found = measure(codes(frame), astronaut_plate, eyes=(*map(float, eyes[0]), *map(float, eyes[1])))  # type: ignore[arg-type]
    assert found.word("lit_side") == "right"
    assert number(found, "key_azimuth_deg") == pytest.approx(number(reading, "key_azimuth_deg"), abs=20)
    assert number(found, "key_direction_sigma_deg") > number(reading, "key_direction_sigma_deg")
    assert number(found, "face_height_fh") == pytest.approx(number(reading, "face_height_fh"), rel=0.12)


def test_eyes_beyond_the_picture_are_not_believed(frame: Frame, astronaut_plate: Plate) -> None:
    found = measure(codes(frame), astronaut_plate, eyes=(5000.0, 10.0, 5100.0, 10.0))["lit_side"]
    assert isinstance(found, CannotJudge)
    assert "eyes" in found.reason


def test_the_placed_head_is_where_the_framing_put_it(reading: Reading) -> None:
    assert number(reading, "head_x_fw") == pytest.approx(Framing().head_centre[0], abs=0.05)
    assert number(reading, "frame_aspect") == pytest.approx(0.8)


def test_hands_and_eyes_are_the_references_own(reading: Reading) -> None:
    assert reading["hands_at_chin"] == Measure(False, "yes/no", None, "the reference's hands")
    assert reading["eyes_closed"] == Measure(False, "yes/no", None, "eyes")
    assert reading.word("gaze") in {"lens", "aside"}


def test_pores_are_no_grain(astronaut_plate: Plate) -> None:
    """On skin as it was photographed: what the darkroom draws where a photo is too soft, the meter cannot know from the photo."""
    enlarger, asked = Enlarger(astronaut_plate, Framing(), SIZE, keep_skin=True), rig.of(Look())
    reading = measure(enlarger.develop(asked, 3), astronaut_plate)
    clean = measure(enlarger.develop(replace(asked, stock=replace(asked.stock, grain_rms=0.0)), 3), astronaut_plate)
    assert number(clean, "grain_on_skin_codes") < 0.5 * number(reading, "grain_on_skin_codes")
    assert number(clean, "skin_texture_codes") > number(clean, "grain_on_skin_codes")
    assert clean.word("texture_kind") == "clean"
    assert number(clean, "grain_floor_share") < 0.5 * number(reading, "grain_floor_share")


@pytest.mark.parametrize(("flare", "streaked"), [("prominent bright halo", False), ("multi-ring anamorphic flare", True)])
def test_an_iris_star_is_no_streak(enlarger: Enlarger, astronaut_plate: Plate, flare: str, streaked: bool) -> None:
    for seed in (1, 2):
        read = measure(enlarger.develop(rig.of(Look(flare=flare)), seed), astronaut_plate)
        assert (number(read, "streak_ratio") > 1.35) == streaked
        assert (read.word("flare") == "streak") == streaked

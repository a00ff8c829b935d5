"""What a model is shown, and what is kept of its answer: nothing is stretched, nothing invented, every size exact."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowkey.engines import Sitting, reference
from lowkey.frame import Framing, Shot
from lowkey.look import Look
from lowkey.photo.png import png_bytes
from lowkey.plate.plate import Plate

FORBIDDEN = (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"Exif", b"GPS")


def sitting(plate: Plate) -> Sitting:
    return Sitting(plate.photo, lambda: plate)


def shot(plate: Plate, framing: Framing | None = None, look: Look | None = None) -> Shot:
    return Shot(look or Look(), framing or Framing(), plate.photo.hash, 1, (896, 1120), "bfl")


@pytest.mark.parametrize("size", [(832, 1248), (896, 1120), (1024, 1024), (256, 320)])
def test_the_reference_has_the_size_asked_and_lies_within_the_photo(astronaut_plate: Plate, size: tuple[int, int]) -> None:
    made = reference.prepared(sitting(astronaut_plate), shot(astronaut_plate), size)
    assert made.size_px == size
    assert made.beyond == 0
    back = made.placement.inverse()
    corners = back.points(np.array([[-0.5, -0.5], [size[0] - 0.5, size[1] - 0.5]], np.float32))
    assert corners.min() > -0.51
    assert (corners[1] < np.array(astronaut_plate.photo.size_px) - 0.49).all()


def test_the_face_is_not_stretched(astronaut_plate: Plate) -> None:
    """A Placement has one scale, so what is to be shown is that the pixels follow it: each axis is fitted by itself."""
    made = reference.prepared(sitting(astronaut_plate), shot(astronaut_plate), (832, 1248))
    photo = astronaut_plate.photo.pixels.astype(np.float32)
    back = made.placement.inverse()

    def apart(stretch_x: float, stretch_y: float) -> float:
        ys, xs = np.mgrid[100:1100:40, 100:800:40]
        x = np.clip(back.scale * (416 + (xs - 416) * stretch_x) + back.tx, 0, photo.shape[1] - 1)
        y = np.clip(back.scale * (624 + (ys - 624) * stretch_y) + back.ty, 0, photo.shape[0] - 1)
        there = photo[np.round(y).astype(int), np.round(x).astype(int)]
        return float(np.abs(there - made.pixels[ys, xs]).mean())

    assert apart(1, 1) < 6
    assert apart(1, 1) < min(apart(1.07, 1), apart(1, 1.07), apart(0.93, 1), apart(1, 0.93)) / 1.5


def test_the_whole_head_stays_in_a_photo_too_tight_for_the_aspect(astronaut_plate: Plate) -> None:
    """The plate's own photo cut to a square round the head: a tall reference reaches beyond it rather than cut the head."""
    from lowkey.photo import Photo
    from lowkey.pixels import freeze
    from lowkey.plate import scan

    photo = astronaut_plate.photo
    tight = Photo(freeze(photo.pixels[15:215, 120:320].copy()), "cd" * 32, "tight")
    plate = scan(tight)
    made = reference.prepared(sitting(plate), shot(plate), (640, 1280))
    assert 0 < made.beyond < 0.6
    x0, y0, x1, y1 = reference._head(plate)
    head = made.placement.points(np.array([[x0, y0], [x1, y1]], np.float32))
    assert head[0].min() > -1
    assert head[1][0] < 640
    assert head[1][1] < 1280


def test_light_from_the_left_frames_in_the_mirror(astronaut_plate: Plate) -> None:
    right = shot(astronaut_plate)
    left = shot(astronaut_plate, look=Look().but(light="rear-left"))
    assert reference.faced(right).head_centre == (0.47, 0.405)
    assert reference.faced(left).head_centre == (0.53, 0.405)


def test_the_photos_own_framing_is_given_back(astronaut_plate: Plate) -> None:
    made = reference.prepared(sitting(astronaut_plate), shot(astronaut_plate, Framing(source=True)), (512, 512))
    assert made.placement.scale == pytest.approx(1)
    assert np.abs(made.pixels.astype(int) - astronaut_plate.photo.pixels.astype(int)).max() <= 1


def test_a_reference_as_png_says_nothing_but_pixels(astronaut_plate: Plate) -> None:
    data = png_bytes(reference.prepared(sitting(astronaut_plate), shot(astronaut_plate), (256, 320)).pixels)
    assert not [word for word in FORBIDDEN if word in data]
    assert json.dumps(astronaut_plate.photo.stem).encode() not in data


def test_an_answer_of_the_right_size_is_kept_code_for_code() -> None:
    codes = np.random.default_rng(1).integers(0, 256, (40, 32, 3), np.uint8)
    kept = reference.fitted(codes, (32, 40))
    assert kept.dtype == np.uint16
    assert (kept // 257 == codes).all()
    assert (kept % 257 == 0).all()


@given(st.integers(20, 90), st.integers(20, 90), st.integers(16, 64), st.integers(16, 64))
@settings(max_examples=25, deadline=None)
def test_fitted_is_exact_and_centred(w: int, h: int, across: int, tall: int) -> None:
    ramp = np.zeros((h, w, 3), np.uint16)
    ramp[..., 0] = np.linspace(0, 65535, w)[None]
    ramp[..., 1] = np.linspace(0, 65535, h)[:, None]
    made = reference.fitted(ramp, (across, tall))
    assert made.shape == (tall, across, 3)
    # A centred crop of a picture that is point-symmetric about its middle is so too (in codes, when it is enlarged).
    if max(across / w, tall / h) >= 1:
        assert np.abs(made[..., :2].astype(int) + made[::-1, ::-1, :2].astype(int) - 65535).max() < 0.03 * 65535


@given(st.integers(64, 4000), st.integers(64, 4000), st.sampled_from([8, 16, 32]))
@settings(max_examples=200, deadline=None)
def test_the_size_asked_for_is_on_the_grid_and_near(w: int, h: int, grid: int) -> None:
    if not 1 / 3 <= w / h <= 3:
        return
    most = 1_050_000
    across, tall = reference.asked_size((w, h), grid=grid, most_px=most)
    assert across % grid == 0 == tall % grid
    assert across * tall <= most
    assert min(across, tall) >= 64
    # An aspect that is off by more than one step of the grid on its shorter side, the frame's or the asked one's, would throw pixels away:
    # rounded up, 65 becomes 80, and log(80 / 65) is less than a step of 16 over 65 and more than one over 80.
    assert abs(np.log(across * h / (tall * w))) <= 1.01 * grid / min(across, tall, w, h) + 1e-6


@pytest.mark.parametrize(
    ("size", "asked"),
    [
        ((896, 1120), (896, 1120)),
        ((832, 1248), (832, 1248)),
        ((1024, 1280), (896, 1120)),
        ((900, 1125), (912, 1136)),  # both sides rounded up: a rim is cropped, nothing is enlarged
        ((640, 800), (640, 800)),
    ],
)
def test_sizes_that_every_flux_returns_are_asked_for(size: tuple[int, int], asked: tuple[int, int]) -> None:
    assert reference.asked_size(size, grid=16, most_px=1_050_000) == asked


def test_the_nearest_aspect() -> None:
    known = ("1:1", "3:4", "4:5", "2:3", "9:16")
    assert reference.nearest_aspect((1024, 1280), known) == "4:5"
    assert reference.nearest_aspect((832, 1248), known) == "2:3"
    assert reference.nearest_aspect((1000, 1010), known) == "1:1"

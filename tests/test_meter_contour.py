"""A frame that shows no face is registered by the reference's outline, or not at all."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import bust
from lowkey.darkroom.light import Relight
from lowkey.frame import Placement
from lowkey.meter import CannotJudge, Measure, contour, measure
from lowkey.meter import sight as sights
from lowkey.pixels import srgb_encode
from lowkey.plate.plate import Plate
from lowkey.rig import Direction, Source

HW = 72.0


@pytest.fixture(scope="module")
def plate() -> Plate:
    return bust.plate(HW)


@pytest.fixture(scope="module")
def lit() -> np.ndarray:
    """u8[h, w, 3] of the bust with a light behind it at the right, film grain over all."""
    light = Relight(bust.subject(HW, specular=0.035, skin=1.0)).source(Source(Direction(135, 25)))
    codes = 255 * srgb_encode(np.clip(light * (0.6 / np.percentile(light[light > 0.02 * light.max()], 90)), 0, 1))
    return np.asarray(np.clip(codes + 8 + np.random.default_rng(1).normal(0, 1, codes.shape), 0, 255), np.uint8)


def moved(pixels: np.ndarray, k: float, right: float, down: float) -> tuple[np.ndarray, Placement]:
    """Scaled about the middle and shifted, in a frame of the same size, and where the plate lies in it."""
    h, w = pixels.shape[:2]
    m = np.array([[k, 0, w / 2 * (1 - k) + right], [0, k, h / 2 * (1 - k) + down]])
    out = cv2.warpAffine(pixels, m, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.uint8), Placement(k, float(m[0, 2]), float(m[1, 2]))


def off(found: Placement, true: Placement, plate: Plate) -> float:
    """Head-widths by which the face lies off."""
    face = plate.landmarks[[33, 263, 152, 10], :2]
    return float(np.linalg.norm(found.points(face) - true.points(face), axis=1).max()) / (true.scale * plate.hw_px)


@pytest.mark.parametrize(("k", "right", "down"), [(1.0, 0, 0), (0.7, 20, -10), (1.25, -12, 30), (0.85, -25, 15)])
def test_a_rim_of_light_says_where_the_head_is(lit: np.ndarray, plate: Plate, k: float, right: float, down: float) -> None:
    pixels, true = moved(lit, k, right, down)
    found = contour.find(sights.Sight(pixels), plate)
    assert found is not None
    assert not found.doubt
    assert off(found.placement, true, plate) < max(2 * found.sigma_hw, 0.08)


def test_the_light_is_then_read_less_surely(lit: np.ndarray, plate: Plate) -> None:
    """No reader sees the bust's face: the whole way from a foreign frame to its light."""
    pixels, true = moved(lit, 0.8, 15, 10)
    found, sure = measure(pixels, plate), measure(pixels, plate, true)
    key = found["key_azimuth_deg"]
    assert isinstance(key, Measure)
    assert key.region == "face skin (the lit contour)"
    read = Direction(key.number, found.number("key_elevation_deg") or 0.0).vector
    sigma = found.number("key_direction_sigma_deg")
    assert sigma is not None
    assert np.degrees(np.arccos(np.clip(np.dot(read, Direction(135, 25).vector), -1, 1))) < 2 * sigma
    assert sigma > (sure.number("key_direction_sigma_deg") or 0.0)


@pytest.mark.parametrize("kind", ["black", "noise", "rings"])
def test_where_nobody_is_nothing_is_found(plate: Plate, kind: str) -> None:
    h, w = plate.matte.shape
    rng = np.random.default_rng(3)
    pixels = np.zeros((h, w, 3), np.uint8)
    if kind == "noise":
        pixels = rng.integers(0, 90, (h, w, 3), dtype=np.uint8)
    if kind == "rings":
        for _ in range(12):
            middle = (int(rng.integers(0, w)), int(rng.integers(0, h)))
            cv2.circle(pixels, middle, int(rng.integers(10, 60)), (150, 150, 150), 2)
    found = contour.find(sights.Sight(pixels), plate)
    assert found is None or found.doubt
    assert isinstance(measure(pixels, plate)["key_azimuth_deg"], CannotJudge)


def test_twice_the_same_outline_is_not_believed(lit: np.ndarray, plate: Plate) -> None:
    """Two places that fit alike: neither is guessed."""
    small = cv2.resize(lit, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    twice = np.concatenate([small, small], axis=1)
    found = contour.find(sights.Sight(np.ascontiguousarray(twice)), plate)
    assert found is None or "several places" in found.doubt


@pytest.mark.parametrize(("wider", "taller"), [(0.85, 1.15), (0.85, 1.0), (1.2, 0.9), (1.2, 1.0)])
def test_somebody_elses_outline_is_not_believed(lit: np.ndarray, wider: float, taller: float) -> None:
    """A head of another shape, from a reference of somebody else: wherever it fits best, that is no place to read a face."""
    other = bust.plate(HW)
    h, w = other.matte.shape
    middle = other.landmarks[[10, 152], :2].mean(0)
    m = np.array([[wider, 0, (1 - wider) * middle[0]], [0, taller, (1 - taller) * middle[1]]])
    head = np.where(np.arange(h)[:, None] < other.landmarks[152, 1] + 0.1 * HW, cv2.warpAffine(other.matte, m, (w, h)), other.matte)
    landmarks = other.landmarks.copy()
    landmarks[:, :2] = landmarks[:, :2] @ m[:, :2].T + m[:, 2]
    stranger = replace(other, matte=np.asarray(head, np.float32), landmarks=landmarks)
    found = contour.find(sights.Sight(lit), stranger)
    assert found is None or found.doubt


def test_the_same_frame_is_placed_the_same(lit: np.ndarray, plate: Plate) -> None:
    assert contour.find(sights.Sight(lit), plate) == contour.find(sights.Sight(lit), plate)

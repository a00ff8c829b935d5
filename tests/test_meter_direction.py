"""The meter says where the light stood: on a bust whose normals are exact, in any direction, at any exposure, mirrored too."""

from __future__ import annotations

import math

import numpy as np
import pytest

import bust
from lowkey.darkroom.light import Relight
from lowkey.frame import Placement
from lowkey.meter import CannotJudge, Measure
from lowkey.meter import direction as keys
from lowkey.meter import sight as sights
from lowkey.pixels import srgb_encode
from lowkey.plate.plate import Plate
from lowkey.rig import Direction, Source

HW = 64.0
HERE = Placement(1, 0, 0)


@pytest.fixture(scope="module")
def bench() -> Relight:
    return Relight(bust.subject(HW, specular=0.035, skin=1.0))


@pytest.fixture(scope="module")
def plate() -> Plate:
    return bust.plate(HW)


def picture(bench: Relight, *lights: tuple[float, float, float], exposure_ev: float = 0.0) -> np.ndarray:
    """u16[h, w, 3] of the bust under lights of (azimuth, elevation, strength), lit skin at .56 before the exposure's change."""
    total = sum(bench.source(Source(Direction(a, e), (s, s, s))) for a, e, s in lights)
    lit = total[..., 1][total[..., 1] > 0.02 * total.max()]
    gain = 0.56 / np.percentile(lit, 90) * 2**exposure_ev
    return np.asarray(np.round(srgb_encode(np.clip(total * gain, 0, 1)) * 65535), np.uint16)


def read(pixels: np.ndarray, plate: Plate) -> dict[str, Measure | CannotJudge]:
    sight = sights.Sight(pixels)
    head = sights.by_plate(sight, plate, HERE, "placement", 0.0)
    return keys.of_light(sight, head, keys.key_of(sight, head))


def value(found: dict[str, Measure | CannotJudge], name: str) -> float:
    measure = found[name]
    assert isinstance(measure, Measure), measure
    return measure.number


def away(found: dict[str, Measure | CannotJudge], azimuth: float, elevation: float) -> float:
    """Degrees on the great circle between what was read and what was lit."""
    one = Direction(value(found, "key_azimuth_deg"), value(found, "key_elevation_deg")).vector
    return math.degrees(math.acos(min(1.0, float(np.dot(one, Direction(azimuth, elevation).vector)))))


@pytest.mark.parametrize("azimuth", [-125, -90, -60, -25, 15, 45, 75, 100, 120])
@pytest.mark.parametrize("elevation", [0, 20, 45])
def test_it_reads_back_the_light_within_its_own_error(bench: Relight, plate: Plate, azimuth: float, elevation: float) -> None:
    """200 directions in benchmarks/meter.py: median 1.6 degrees, 90 % within 2.9."""
    found = read(picture(bench, (azimuth, elevation, 1.0)), plate)
    assert away(found, azimuth, elevation) < 7
    assert away(found, azimuth, elevation) < 2 * value(found, "key_direction_sigma_deg")
    assert value(found, "lights") == 1
    side = found["lit_side"]
    assert isinstance(side, Measure)
    if abs(azimuth) >= 25:
        assert side.value == ("right" if azimuth > 0 else "left")


def test_the_mirrored_picture_has_the_mirrored_light(bench: Relight, plate: Plate) -> None:
    pixels = picture(bench, (80, 20, 1.0))
    one, other = read(pixels, plate), read(np.ascontiguousarray(pixels[:, ::-1]), plate)
    assert value(one, "key_azimuth_deg") == pytest.approx(-value(other, "key_azimuth_deg"), abs=1.5)
    assert value(one, "key_elevation_deg") == pytest.approx(value(other, "key_elevation_deg"), abs=1.5)


@pytest.mark.parametrize("exposure_ev", [-2.0, -1.0, 0.5])
def test_exposure_does_not_move_the_light(bench: Relight, plate: Plate, exposure_ev: float) -> None:
    found = read(picture(bench, (70, 25, 1.0), exposure_ev=exposure_ev), plate)
    assert away(found, 70, 25) < 5


@pytest.mark.parametrize("strength", [0.5, 0.2])
def test_a_second_light_across_is_seen(bench: Relight, plate: Plate, strength: float) -> None:
    found = read(picture(bench, (85, 15, 1.0), (-85, 15, strength)), plate)
    assert value(found, "lights") == 2
    assert found["lit_side"] == Measure("both", "word", None, "face skin (placement)")


def test_a_second_light_makes_the_direction_less_sure(bench: Relight, plate: Plate) -> None:
    alone, crossed = read(picture(bench, (85, 15, 1.0)), plate), read(picture(bench, (85, 15, 1.0), (-85, 15, 0.3)), plate)
    assert value(crossed, "key_direction_sigma_deg") > value(alone, "key_direction_sigma_deg") + 2


def test_a_black_face_is_not_judged(plate: Plate) -> None:
    found = read(np.zeros((*plate.matte.shape, 3), np.uint8), plate)
    assert all(isinstance(found[name], CannotJudge) for name in keys.NAMES)


def test_an_evenly_lit_face_has_no_direction_and_no_side(plate: Plate) -> None:
    grey = np.asarray(np.repeat((140 * plate.matte)[..., None], 3, -1), np.uint8)
    noise = np.random.default_rng(2).integers(0, 4, grey.shape, np.uint8)
    found = read(grey + noise, plate)
    assert isinstance(found["key_azimuth_deg"], CannotJudge)
    side = found["lit_side"]
    assert isinstance(side, CannotJudge) or side.value == "none"


def test_the_lattice_of_directions_is_even() -> None:
    grid = keys.directions(2000)
    np.testing.assert_allclose(np.linalg.norm(grid, axis=1), 1, atol=1e-5)
    nearest = np.sort(grid[:200] @ grid.T, axis=1)[:, -2]
    spacing = np.degrees(np.arccos(np.clip(nearest, -1, 1)))
    assert spacing.max() < 2.2 * spacing.min()

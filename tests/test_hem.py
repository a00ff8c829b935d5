"""Where a wrap meets the face."""

from __future__ import annotations

import numpy as np
import pytest

from lowkey.pixels import F32
from lowkey.plate import hem
from lowkey.plate.meshes import OVAL

SIZE, HW = 480, 240.0
SKIN, WRAP, SHADE = (np.array(c, np.float32) for c in ((0.50, 0.33, 0.27), (0.42, 0.30, 0.40), (0.12, 0.07, 0.055)))


UNDER = SKIN * np.array([0.85, 0.66, 0.66], np.float32)
"""An under-scarf as it is measured in a photo: redder than skin by .37 stops, darker by .5."""


def wrapped(wrap: F32) -> tuple[F32, F32, F32, F32, F32]:
    """Colour, skin, cloth, landmarks and distance (hw) to a face's true edge (+ outside), read .10 hw too wide on the right."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    away = (np.hypot(x - 230, 0.8 * (y - 250)) - 110) / np.float32(HW)
    read = (np.hypot(x - 230 - 0.05 * HW, 0.8 * (y - 250)) - 110 - 0.05 * HW) / HW
    colour = np.where((away < 0)[..., None], SKIN, wrap) * np.exp(0.02 * rng.standard_normal((SIZE, SIZE, 1)))
    colour = np.where(((away > 0) & (away < 0.03))[..., None], SHADE, colour)
    skin = (read < 0).astype(np.float32)
    mesh = np.zeros((478, 3), np.float32)
    mesh[:, :2] = (230 + 0.05 * HW, 250)
    angle = np.linspace(0, 2 * np.pi, len(OVAL), endpoint=False)
    mesh[list(OVAL), 0], mesh[list(OVAL), 1] = 242 + 122 * np.sin(angle), 250 - 122 / 0.8 * np.cos(angle)
    mesh[13, 1], mesh[152, 1] = 330, 402
    return colour.astype(np.float32), skin, 1 - skin, mesh, away


def test_a_wrap_under_the_meshs_outline_is_wrap_with_its_rim_and_the_face_stays() -> None:
    colour, skin, cloth, mesh, away = wrapped(WRAP)
    bare, worn = hem.worn(colour, skin, cloth, mesh, HW)
    cheek = np.abs(np.mgrid[:SIZE, :SIZE][0] - 250) < 70
    assert skin[cheek & (away > 0.035)].mean() > 0.05
    assert bare[cheek & (away > 0.035)].mean() < 0.005
    assert bare[cheek & (away > 0.012)].mean() < 0.02
    assert bare[cheek & (away < -0.02)].mean() > 0.99
    np.testing.assert_allclose(bare + worn, skin + cloth, atol=1e-6)


@pytest.mark.parametrize("tone", [1.0, 0.8])
def test_a_wrap_of_the_skins_colour_and_a_bare_head_tell_nothing(tone: float) -> None:
    colour, skin, cloth, mesh, _ = wrapped(np.float32(tone) * SKIN)
    np.testing.assert_allclose(hem.worn(colour, skin, cloth, mesh, HW)[0], skin, atol=2e-2)
    colour, skin, cloth, mesh, _ = wrapped(WRAP)
    none = np.zeros_like(cloth)
    np.testing.assert_array_equal(hem.worn(colour, skin, none, mesh, HW)[0], skin)


@pytest.mark.parametrize("closes", [True, False])
def test_beside_the_face_no_skin_lies_under_a_wrap_that_closes_and_an_ear_under_a_cap(closes: bool) -> None:
    colour, skin, cloth, mesh, away = wrapped(SKIN)
    mesh[hem.BROW, 1], mesh[hem.NOSE] = 200, (230, 270, 0)
    rows = np.mgrid[:SIZE, :SIZE][0]
    bulge = (away > 0.13) & (away < 0.2) & (np.abs(rows - 235) < 20)
    if not closes:
        cloth = np.where(rows > 180, 0, cloth).astype(np.float32)
    skin, cloth = np.where(bulge, 1, skin).astype(np.float32), np.where(bulge, 0, cloth).astype(np.float32)
    bare, _ = hem.worn(colour, skin, cloth, mesh, HW)
    assert (bare[bulge].mean() < 0.1) == closes
    assert (bare[bulge].mean() > 0.9) == (not closes)


def test_an_under_scarf_of_another_cloth_is_cloth_and_a_shade_or_a_light_of_its_tone_is_skin() -> None:
    colour, skin, cloth, mesh, away = wrapped(WRAP)
    cheek = np.abs(np.mgrid[:SIZE, :SIZE][0] - 250) < 70
    band = cheek & (away > -0.035) & (away < 0)
    for tone, its in ((UNDER, True), (0.7 * SKIN, False), (1.4 * SKIN, False)):
        laid = np.where(((away > -0.04) & (away < 0.03))[..., None], tone, colour).astype(np.float32)
        bare, worn = hem.worn(laid, skin, cloth, mesh, HW)
        assert (bare[band].mean() < 0.2) == its, tone
        assert (bare[band].mean() > 0.8) != its, tone
        np.testing.assert_allclose(bare + worn, skin + cloth, atol=1e-6)


def test_a_strip_of_wrap_beside_a_far_cheek_is_whole() -> None:
    """It is too narrow to hold any sound cloth, and was read as half skin where it is narrowest."""
    colour, _, _, mesh, away = wrapped(WRAP)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    far = columns < 230
    person = ~far | (away < 0.05)
    strip, cheek = far & (away > 0) & (away < 0.05), np.abs(rows - 250) < 50
    colour = np.where((away > 0)[..., None], WRAP, SKIN).astype(np.float32)
    worn = ((away > 0) & person).astype(np.float32)
    half = np.where(strip & (np.abs(rows - 250) < 25), 0.45, 1).astype(np.float32)
    cloth = worn * half
    skin = person - cloth
    bare, wrap = hem.worn(colour, skin.astype(np.float32), cloth, mesh, HW)
    assert wrap[strip & cheek & (away > 0.015)].mean() > 0.95
    assert bare[far & cheek & (away < -0.02)].mean() > 0.99
    assert skin[strip & cheek & (away > 0.015)].mean() > 0.2

"""Skin in the shade of hair, at the hairline."""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.pixels import F32
from lowkey.plate import hairline

H, W, HW = 420, 400, 240.0
SKIN, HAIR = np.array([0.55, 0.34, 0.24], np.float32), np.array([0.030, 0.022, 0.018], np.float32)
BLACK = np.array([0.024, 0.022, 0.020], np.float32)


def head() -> tuple[F32, F32, F32, F32]:
    """Colour, skin, hair and landmarks: hair above row 120, and a shade of 30 x 40 below it that was read as hair."""
    rng = np.random.default_rng(3)
    colour = np.broadcast_to(SKIN, (H, W, 3)).copy()
    colour[:120] = HAIR * np.exp(0.5 * rng.standard_normal((120, W, 1)))
    colour[120:150, 220:260] = 0.55 * SKIN
    hair = np.zeros((H, W), np.float32)
    hair[:120] = 1
    hair[120:150, 220:260] = 0.8
    mesh = np.zeros((478, 3), np.float32)
    mesh[:, 0], mesh[:, 1] = np.linspace(80, 320, 478), np.linspace(110, 400, 478)
    mesh[[33, 263], 1] = 300
    return colour.astype(np.float32), np.asarray(1 - hair, np.float32), hair, mesh


def test_a_shade_on_the_forehead_is_skin_again_and_hair_stays_hair() -> None:
    colour, skin, hair, mesh = head()
    bare, strands = hairline.bared(colour, skin, hair, mesh, HW)
    assert strands[128:142, 230:250].max() < 0.25
    np.testing.assert_allclose(bare + strands, skin + hair, atol=1e-6)
    assert strands[:105].min() > 0.97


def test_an_island_of_skin_colour_in_the_hair_stays_hair() -> None:
    colour, skin, hair, mesh = head()
    colour[40:70, 100:130] = 0.8 * SKIN
    _, strands = hairline.bared(colour, skin, hair, mesh, HW)
    assert strands[40:70, 100:130].min() > 0.97


def test_hair_of_the_skins_own_colour_is_left_alone() -> None:
    colour, skin, hair, mesh = head()
    colour[:120] = 0.9 * SKIN
    _, strands = hairline.bared(colour, skin, hair, mesh, HW)
    np.testing.assert_allclose(strands, hair, atol=1e-3)


def temple(hair_tone: float) -> tuple[F32, F32, F32, F32, tuple[slice, slice]]:
    """A head whose whole temple was read as hair, between its forehead and a strip of true hair of `hair_tone` along the outline."""
    rng = np.random.default_rng(4)
    colour = np.broadcast_to(SKIN, (H, W, 3)).copy()
    inner = np.s_[70:200, 270:330]
    colour[:200, 270:] = 0.5 * SKIN
    colour *= np.exp(0.08 * rng.standard_normal((H, W, 1)))
    true = np.s_[:300, 332:364]
    colour[true] = np.float32(hair_tone) * np.exp(0.3 * rng.standard_normal((300, 32, 1)))
    colour[:40] = np.float32(hair_tone) * np.exp(0.3 * rng.standard_normal((40, W, 1)))
    hair = np.zeros((H, W), np.float32)
    hair[:40] = hair[:200, 270:] = hair[true] = 1
    skin = 1 - hair
    hair[:, 364:] = skin[:, 364:] = 0
    hair[:4] = skin[:4] = 0
    mesh = np.zeros((478, 3), np.float32)
    mesh[:, 0], mesh[:, 1] = np.linspace(40, 330, 478), np.linspace(60, 400, 478)
    mesh[[33, 263], 1] = 300
    return colour.astype(np.float32), skin, hair, mesh, inner


def test_a_whole_temple_in_shade_under_white_hair_is_skin() -> None:
    colour, skin, hair, mesh, inner = temple(0.9)
    _, strands = hairline.bared(colour, skin, hair, mesh, HW)
    assert float(np.median(strands[inner])) < 0.1
    assert strands[60:280, 340:362].mean() > 0.9, "the hair itself stays"


def test_a_shade_as_dark_as_its_hair_is_skin_where_it_is_redder_and_broad() -> None:
    """Skin that only skin lights is redder than the lit one, and than any hair beside it; a strip of it is skin between strands."""
    deep = np.array([0.14, 0.05, 0.033], np.float32)
    for columns, broad in ((slice(150, 250), True), (slice(180, 196), False)):
        colour, skin, hair, mesh = head()
        colour[120:190, columns] = deep
        hair[120:190, columns] = 0.95
        skin = np.asarray(1 - hair, np.float32)
        bare, strands = hairline.bared(cv2.GaussianBlur(colour, (0, 0), 1.0), skin, hair, mesh, HW)
        inner = strands[130:180, columns.start + 4 : columns.stop - 4]
        assert inner.mean() < 0.05 if broad else inner.min() > 0.8
        np.testing.assert_allclose(bare + strands, 1, atol=1e-6)
        assert strands[:105].min() > 0.97


def fringe(tone: F32) -> tuple[F32, F32, F32, F32]:
    """A head read as skin from row 120 down, before whose forehead something of a colour hangs from the hair down to row 150."""
    rng = np.random.default_rng(5)
    colour = np.broadcast_to(SKIN, (H, W, 3)).copy()
    colour[:120] = BLACK * np.exp(0.4 * rng.standard_normal((120, W, 1)))
    colour[120:150, 120:280] = tone * np.exp(0.2 * rng.standard_normal((30, 160, 1)))
    hair = np.zeros((H, W), np.float32)
    hair[:120] = 1
    mesh = np.zeros((478, 3), np.float32)
    mesh[:, 0], mesh[:, 1] = np.linspace(80, 320, 478), np.linspace(110, 400, 478)
    mesh[list(hairline.UPPER_BROWS), :2] = np.stack([np.linspace(90, 310, 10), np.full(10, 190)], 1)
    return cv2.GaussianBlur(colour.astype(np.float32), (0, 0), 1.0), np.asarray(1 - hair, np.float32), hair, mesh


def test_a_fringe_that_was_read_as_skin_is_hair() -> None:
    # Lighter than the mass, and the forehead shows through.
    colour, skin, hair, mesh = fringe(np.asarray(1.5 * BLACK + 0.02 * SKIN, np.float32))
    bare, strands = hairline.fringed(colour, skin, hair, mesh, HW)
    assert strands[123:146, 130:270].mean() > 0.9
    np.testing.assert_allclose(bare + strands, 1, atol=1e-6)
    np.testing.assert_allclose(strands[156:], 0, atol=1e-3)


def test_a_shade_of_hair_as_dark_as_a_fringe_is_skin() -> None:
    colour, skin, hair, mesh = fringe(np.asarray(0.25 * SKIN, np.float32))
    bare, strands = hairline.fringed(colour, skin, hair, mesh, HW)
    np.testing.assert_array_equal(strands, hair)
    np.testing.assert_array_equal(bare, skin)


def test_a_shade_on_dark_skin_is_no_fringe_where_the_hair_hereabouts_is_shade() -> None:
    """Between two lamps a dark forehead has a red shade under hair of nearly its own hue; its upper half was taken for hair already."""
    brown, red = np.array([0.060, 0.026, 0.016], np.float32), np.array([0.016, 0.0040, 0.0030], np.float32)
    colour, skin, hair, mesh = fringe(red)
    colour[120:][np.abs(colour[120:] - SKIN).max(-1) < 0.05] = brown
    colour[:120] *= np.array([0.0060, 0.0028, 0.0019], np.float32) / BLACK
    colour[80:120, 120:280] = red
    bare, strands = hairline.fringed(cv2.GaussianBlur(colour, (0, 0), 1.0), skin, hair, mesh, HW)
    np.testing.assert_array_equal(strands, hair)
    np.testing.assert_array_equal(bare, skin)


def test_brows_that_hang_from_nothing_are_no_fringe() -> None:
    colour, skin, hair, mesh = fringe(SKIN)
    colour[165:185, 130:180] = BLACK
    _, strands = hairline.fringed(colour, skin, hair, mesh, HW)
    np.testing.assert_array_equal(strands, hair)

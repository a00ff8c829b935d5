"""Eyes in a picture: light that wanders in the white, the image of a lamp in a cornea, and an old one that goes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import bust
from lowkey.darkroom import eyes, retouch
from lowkey.darkroom.hollows import DITCH_HW, ditch
from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32, freeze, luminance
from lowkey.rig import Direction

HW = 320.0


def eyed(shine: float) -> tuple[Subject, F32]:
    """A head with one opening, .19 hw wide, and where that is."""
    s = bust.subject(HW, albedo=0.3)
    h, w = s.matte.shape
    y, x = np.mgrid[:h, :w]
    middle = (w - 1) / 2 - 0.2 * HW, (h - 1) / 2 - 0.42 * HW
    opening = (((x - middle[0]) / 30) ** 2 + ((y - middle[1]) / 16) ** 2 < 1).astype(np.float32)
    return replace(s, eyes=freeze(opening), shine=shine), opening


def test_the_far_half_of_a_ball_is_dim_and_not_black_in_a_picture_alone() -> None:
    s, opening = eyed(1.3)
    columns = np.flatnonzero(opening.any(0))
    half = np.arange(opening.shape[1])[None] > columns.mean()
    light = np.where((opening > 0) & ~half, 0.02, 0.6).astype(np.float32)
    lit = light.copy()
    eyes.Balls(s).spread(lit)
    dark = (opening > 0) & ~half
    assert 0.08 < np.median(lit[dark]) < 0.5
    assert np.median(lit[(opening > 0) & half]) > np.median(lit[dark])
    # Where both sides lie in the dark nothing comes up, and a measurement is lit as it is.
    shade = np.full_like(light, 0.02)
    eyes.Balls(s).spread(shade)
    np.testing.assert_allclose(shade, 0.02, rtol=1e-3)
    own = light.copy()
    eyes.Balls(replace(s, shine=1.0)).spread(own)
    np.testing.assert_array_equal(own, light)


@pytest.mark.parametrize(("azimuth", "oval"), [(10, 1.15), (80, 1.5)])
def test_a_lamps_image_is_an_oval_the_longer_the_further_aside_it_stands(azimuth: float, oval: float) -> None:
    """A convex mirror at a half-way angle a narrows the image by cos a on the way from its middle and lengthens it by 1 / cos a across."""
    ys, xs = np.mgrid[0:200, 0:200].astype(np.float32)
    image, _ = eyes._image(xs, ys, (100.0, 100.0), Direction(azimuth, 0), 1600.0, eyes.IMAGE_HW)
    inside = image > 0.5
    tall, wide = (float(np.ptp(np.flatnonzero(inside.any(axis)))) + 1 for axis in (1, 0))
    assert tall / wide == pytest.approx(1 / np.cos(np.radians(azimuth / 2)) ** 2, rel=0.12)
    assert (tall / wide > oval) == (azimuth > 45)
    assert np.flatnonzero(inside.any(0)).mean() > 100  # on the lamp's side


def test_a_ditch_is_what_is_darker_than_both_its_sides_and_no_broader_than_one() -> None:
    skin = np.ones((200, 600), np.float32)
    x = np.arange(600, dtype=np.float32)[None] / np.float32(HW) * skin
    narrow, broad = (np.where(np.abs(x - 0.9) < half, 0.1, 0.5).astype(np.float32) for half in (0.3 * DITCH_HW, 1.2 * DITCH_HW))
    at = np.s_[80:120, int(0.9 * HW)]
    assert np.median(ditch(narrow, skin, HW)[at]) == pytest.approx(0.4, rel=0.15)
    assert ditch(broad, skin, HW)[at].max() < 0.02
    assert ditch(np.asarray(x, np.float32), skin, HW)[:, 100:500].max() < 0.05  # a slope is none


def test_an_old_lamps_image_goes_from_an_iris_and_its_colour_stays() -> None:
    y, x = np.mgrid[0:80, 0:80].astype(np.float32)
    iris = np.asarray(np.hypot(x - 40, y - 40) < 24, np.float32)
    own = np.array([0.06, 0.035, 0.02], np.float32)
    tone = np.broadcast_to(own, (80, 80, 3)).copy()
    tone[np.hypot(x - 46, y - 34) < 5] = 0.9
    retouch._no_old_catchlight(tone, iris, 24.0)
    assert luminance(tone)[iris > 0].max() < 1.8 * luminance(own)
    np.testing.assert_allclose(np.median(tone[iris > 0], 0), own, rtol=0.05)

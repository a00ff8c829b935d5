"""Laws of the undertone: one complexion over a face, blood kept, people kept apart, nobody moved far off the photo."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lowkey.pixels import F32, luminance
from lowkey.plate import undertone

HW = 200.0
H, W = 300, 220
Y, X = np.mgrid[0:H, 0:W].astype(np.float32)
FACE = ((X - W / 2) / 96) ** 2 + ((Y - H / 2) / 140) ** 2 < 1
PEOPLE = {"pale": (18.0, 56.0), "tan": (26.0, 52.0), "brown": (33.0, 50.0)}


def tint(chroma: float, hue_deg: float) -> NDArray[np.float64]:
    return chroma * np.array([np.cos(np.radians(hue_deg)), np.sin(np.radians(hue_deg))])


def skin(chroma: float, hue_deg: float, *, light: bool = True) -> F32:
    """A face of one colour, with a redder nose; its photo's light has paled the brow and made the rim on the right purer."""
    ab = np.broadcast_to(tint(chroma, hue_deg), (H, W, 2)).copy()
    nose = np.exp(-((X - W / 2) ** 2 + (Y - 165) ** 2) / np.float32(2 * 16.0**2))
    ab[..., 0] += 5 * nose
    if light:
        ab *= (1 - 0.4 * np.clip((110 - Y) / 30, 0, 1) + 0.5 * np.clip((X - 150) / 25, 0, 1))[..., None]
    grain = 1 + 0.05 * np.sin(X) * np.sin(Y)
    return np.asarray(undertone.at_level(ab.reshape(-1, 2)).reshape(H, W, 3) * (1.2 * grain)[..., None], np.float32)


def evened(photo: F32) -> F32:
    clear = FACE.astype(np.float32)
    return undertone.evened(photo, photo, clear, FACE, clear, HW)


def chroma_at(picture: F32, row: int, column: int) -> NDArray[np.float64]:
    here = picture[row - 5 : row + 6, column - 5 : column + 6].reshape(-1, 3).mean(0, keepdims=True)
    return undertone.ab(np.asarray(here * (undertone.LEVEL / luminance(here))[:, None], np.float32))[0]


def test_a_tint_comes_back_from_its_colour() -> None:
    tints = np.array([[3.0, 2.0], [14.0, 20.0], [30.0, 36.0], [-4.0, -8.0]])
    back = undertone.at_level(tints)
    np.testing.assert_allclose(luminance(back), undertone.LEVEL, rtol=1e-3)
    np.testing.assert_allclose(undertone.ab(back), tints, atol=0.05)


@pytest.mark.parametrize("who", PEOPLE)
def test_brow_and_rim_become_one_complexion(who: str) -> None:
    before = skin(*PEOPLE[who])
    after = evened(before)
    np.testing.assert_allclose(luminance(after)[FACE], luminance(before)[FACE], rtol=1e-3)
    brow, rim = (60, 100), (180, 185)
    was, now = (float(np.hypot(*(chroma_at(p, *rim) - chroma_at(p, *brow)))) for p in (before, after))
    assert now < 0.5 * was
    # Pores keep their contrast, colour by colour.
    fine = [np.std(np.log(p[140:160, 60:80, 2])) for p in (before, after)]
    assert fine[1] == pytest.approx(fine[0], rel=0.05)


@pytest.mark.parametrize("who", PEOPLE)
def test_nobody_is_moved_far_off_the_photo(who: str) -> None:
    before = skin(*PEOPLE[who])
    one, two, mass, _ = undertone.broad(before, evened(before), FACE.astype(np.float32), HW)
    far = undertone.apart(one, two)[mass.ravel() > 0.6]
    assert np.percentile(far, 95) < 4.0
    assert far.max() < undertone.MOST[1]


def test_blood_stays_and_people_stay_apart() -> None:
    faces = {who: evened(skin(*PEOPLE[who])) for who in PEOPLE}
    for face in faces.values():
        nose, cheek = chroma_at(face, 165, 110), chroma_at(face, 190, 70)
        assert nose[0] - cheek[0] > 1.8
    cheeks = np.array([chroma_at(face, 190, 70) for face in faces.values()])
    assert (undertone.apart(cheeks[:-1], cheeks[1:]) > 2.5).all()


def test_an_even_face_of_skins_own_colour_is_left_alone() -> None:
    photo = skin(22.0, 55.0, light=False)
    one, two, mass, _ = undertone.broad(photo, evened(photo), FACE.astype(np.float32), HW)
    assert undertone.apart(one, two)[mass.ravel() > 0.6].max() < 1.2


def test_a_face_that_a_blue_sky_has_greyed_gets_warmth_and_no_more_than_it_may() -> None:
    photo = skin(8.0, 20.0, light=False)
    before, after = (chroma_at(p, 190, 70) for p in (photo, evened(photo)))
    assert np.hypot(*after) > np.hypot(*before) + 1.5
    assert np.arctan2(after[1], after[0]) > np.arctan2(before[1], before[0]) + 0.1
    assert undertone.apart(before[None], after[None])[0] < undertone.WHITENED + 0.2

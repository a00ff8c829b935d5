"""Fine texture of skin: what a photo lacks is drawn, what it has stays, and specks of the old light are pressed."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import bust
from lowkey.darkroom import pores
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.plate import Plate

HW = 240.0


@pytest.fixture(scope="module")
def soft() -> Plate:
    """A face without any texture."""
    return bust.plate(HW)


def textured(plate: Plate, deviation: float, *, even: bool = False) -> Plate:
    """The same with texture as fine as pores, of this deviation in log luminance: rougher beside the nose than further out, or `even`."""
    noise = np.random.default_rng(5).standard_normal(plate.matte.shape).astype(np.float32)
    if not even:
        across = np.abs(np.arange(noise.shape[1], dtype=np.float32) - plate.landmarks[4, 0]) / np.float32(HW)
        noise *= np.interp(across, (0.05, 0.45), (1.5, 0.5)).astype(np.float32)
    band = blur(noise, pores.BAND_HW[0] * HW) - blur(noise, pores.BAND_HW[1] * HW)
    albedo = plate.albedo * np.exp(band * np.float32(deviation / band.std()))[..., None]
    return replace(plate, albedo=np.asarray(albedo, np.float32))


def drawn(plate: Plate, hand: float = 1.0) -> F32:
    albedo = plate.albedo.copy()
    pores.completed(albedo, plate, hand)
    return albedo


def test_soft_skin_gets_what_it_lacks(soft: Plate) -> None:
    assert pores.lacking(soft) == pytest.approx(pores.USUAL, abs=0.002)
    log = np.log(luminance(drawn(soft)))
    band = blur(log, pores.BAND_HW[0] * HW) - blur(log, pores.BAND_HW[1] * HW)
    skin = cv2.erode((soft.parts["skin"] > 0.9).astype(np.uint8), np.ones((31, 31), np.uint8)) > 0
    assert float(band[skin].std()) == pytest.approx(pores.USUAL, rel=0.25)
    assert float(np.percentile(band[skin], 1)) < -1.2 * float(np.percentile(band[skin], 99)), "pores are pits"


def test_sharp_skin_is_left_alone(soft: Plate) -> None:
    sharp = textured(soft, 1.6 * pores.USUAL)
    assert pores.lacking(sharp) == 0
    np.testing.assert_array_equal(drawn(sharp), sharp.albedo)


def test_texture_as_even_as_noise_goes_and_skins_own_is_drawn(soft: Plate) -> None:
    loud = 1.33 * pores.LOUD[1]
    noise, skin = textured(soft, loud, even=True), textured(soft, loud)
    assert pores.noisy(noise) > 0.9
    assert pores.noisy(skin) == 0 == pores.noisy(textured(soft, 0.5 * pores.USUAL, even=True))
    assert pores.lacking(noise) > 0.5 * pores.USUAL
    left = []
    for plate in (noise, skin):
        albedo = plate.albedo.copy()
        pores.tempered(albedo, plate)
        log = np.log(np.maximum(luminance(albedo), 2e-3))
        left.append(float((log - blur(log, pores.BANDS_HW[0] * HW))[pores._inner(soft) > 0.9].std()))
    assert left[0] < 0.5 * left[1]


def test_half_as_sharp_gets_less(soft: Plate) -> None:
    half = textured(soft, 0.5 * pores.USUAL)
    assert 0.5 * pores.USUAL < pores.lacking(half) < 0.95 * pores.USUAL


def test_only_skin_is_drawn_on_and_its_broad_tones_stay(soft: Plate) -> None:
    after = drawn(soft)
    bare = soft.parts["skin"] < 0.5
    np.testing.assert_array_equal(after[bare], soft.albedo[bare])
    skin = cv2.erode((soft.parts["skin"] > 0.9).astype(np.uint8), np.ones((31, 31), np.uint8)) > 0
    broad = np.log(blur(luminance(after), 0.04 * HW) / blur(luminance(soft.albedo), 0.04 * HW))[skin]
    assert np.abs(broad).max() < 0.02
    chroma = after[skin] / luminance(after)[skin][:, None]
    np.testing.assert_allclose(chroma, soft.albedo[skin] / luminance(soft.albedo)[skin][:, None], rtol=1e-4)


def test_bright_specks_are_pressed_and_dark_ones_stay(soft: Plate) -> None:
    x, y = (round(float(v)) for v in soft.landmarks[50, :2])
    albedo = soft.albedo.copy()
    albedo[y, x] *= 2.0
    albedo[y + 12, x + 12] *= 0.5
    before = albedo.copy()
    pores.tempered(albedo, soft)
    level = float(luminance(before)[y + 6, x])
    assert luminance(albedo)[y, x] < level * np.exp(pores.GLITTER + 0.06)
    np.testing.assert_allclose(albedo[y + 12, x + 12], before[y + 12, x + 12], rtol=1e-5)


def test_too_sharp_skin_comes_down_to_its_aims_and_what_is_within_them_stays(soft: Plate) -> None:
    sharp = textured(soft, 0.08)
    albedo = sharp.albedo.copy()
    pores.tempered(albedo, sharp)
    skin = pores._inner(soft) > 0.9
    fine = [np.log(np.maximum(luminance(a), 2e-3)) for a in (sharp.albedo, albedo)]
    before, after = (float(np.std((one - blur(one, pores.BANDS_HW[1] * HW))[skin])) for one in fine)
    assert after < 0.7 * before
    calm = textured(soft, 0.01, even=True)
    kept = calm.albedo.copy()
    pores.tempered(kept, calm)
    np.testing.assert_allclose(kept[skin], calm.albedo[skin], rtol=0.02)


def test_colour_noise_on_skin_is_calmed_and_luminance_stays(soft: Plate) -> None:
    noise = np.random.default_rng(7).standard_normal(soft.matte.shape).astype(np.float32) * np.float32(0.12)
    albedo = soft.albedo.copy()
    albedo[..., 0] *= np.exp(noise)
    albedo[..., 1] *= np.exp(-0.3 * noise)
    before, noisy = luminance(albedo), replace(soft, albedo=albedo.copy())
    pores.tempered(albedo, noisy)
    skin = pores._inner(soft) > 0.9
    ratio = [np.log(a[..., 0] / np.maximum(a[..., 1], 1e-4))[skin].std() for a in (noisy.albedo, albedo)]
    assert ratio[1] < 0.5 * ratio[0]
    assert np.median(np.abs(luminance(albedo)[skin] / before[skin] - 1)) < 0.05


def test_pores_are_deepened_in_the_shade_alone() -> None:
    ys, xs = np.mgrid[:200, :200]
    light = np.where(xs < 100, 0.01, 0.3) * (1 + 0.05 * np.sin(xs * 2.1) * np.sin(ys * 2.3))
    person = np.repeat(light[..., None], 3, -1).astype(np.float32)
    factor = pores.deepened(person, np.ones((200, 200), np.float32), HW)[..., 0]
    assert np.abs(np.log(factor[:, 140:])).max() < 1e-3
    dark = np.log(light[20:180, 20:70])
    assert np.corrcoef(np.log(factor[20:180, 20:70]).ravel(), dark.ravel())[0, 1] > 0.9


def test_rims_of_light_beside_a_brow_are_pressed_and_its_hairs_stay(soft: Plate) -> None:
    """Tempering spares what lies near a brow, so that its hairs stay; the rims that sharpening left round them are none."""
    x, y = (round(float(v)) for v in soft.landmarks[50, :2])
    parts = dict(soft.parts)
    brow = np.zeros_like(soft.matte)
    brow[y - 4 : y + 5, x - 20 : x] = 1
    plate, albedo = replace(soft, parts={**parts, "brows": brow}), soft.albedo.copy()
    albedo[y, x + 3] *= np.exp(-0.8)
    albedo[y, x + 4] *= np.exp(0.18)
    albedo[y - 6, x - 8] *= np.exp(0.9)
    albedo[y - 2, x - 9] *= np.exp(0.18)
    before = np.log(luminance(albedo))
    pores.tempered(albedo, plate)
    moved = np.log(luminance(albedo)) - before
    assert moved[y, x + 4] < -0.05
    np.testing.assert_allclose(moved[[y, y - 2], [x + 3, x - 9]], 0, atol=0.01, err_msg="a dark hair, the brow")
    assert moved[y - 6, x - 8] > -0.05, "a white hair, which stands out by .9"

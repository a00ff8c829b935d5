"""Laws of crops told by their texture: the felt a matte lost comes back to its ends; a room, long hair and a clean edge stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lowkey.pixels import F32
from lowkey.plate import felt

HW, SIZE = 200.0, 360
DEEP_HW = 0.06
"""How much of the crop the matte lost."""


def noise(seed: int, deviation: float, along: float = 0.0) -> F32:
    """exp of a noise as fine as strands, drawn out down the picture by `along` pixels."""
    grain = np.random.default_rng(seed).standard_normal((SIZE, SIZE)).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 0.8, sigmaY=max(along, 0.8))
    return np.asarray(np.exp(np.float32(deviation) * grain / grain.std()), np.float32)


def head(strands: float = 0.4, room: float = 0.03, along: float = 0.0, lost: float = 0.4) -> tuple[F32, F32, F32, F32]:
    """A round head under a crop before a room of the crop's own grey: alpha, bitten at the viewer's right; the photo; hair; and how deep
    (hw) within the crop's true outline each pixel lies."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    within = np.asarray((100 - np.hypot(x - 180, y - 190)) / HW, np.float32)
    hair = (within > 0) & (y < 150)
    tone = np.where(hair, 0.25 * noise(1, strands, along), np.where(within > 0, np.float32(0.4), 0.25 * noise(2, room)))
    alpha = np.asarray(within > 0, np.float32)
    alpha[hair & (within < DEEP_HW) & (x > 180)] = lost
    return alpha, np.repeat(np.asarray(tone, np.float32)[..., None], 3, 2), np.asarray(alpha * hair, np.float32), within


def restored(alpha: F32, seen: F32, hair: F32) -> tuple[F32, F32, F32]:
    return felt.restored(alpha, seen, hair, np.zeros_like(alpha), HW)


def band(within: F32, low: float, high: float) -> np.ndarray:
    """The crop between two depths (hw) at the viewer's right, away from the forehead."""
    y, x = np.mgrid[:SIZE, :SIZE]
    return (within > low) & (within < high) & (x > 200) & (y < 130)


def test_a_crop_that_a_matte_took_for_the_room_is_hair_to_a_fiftieth_of_its_ends() -> None:
    alpha, seen, hair, within = head()
    got, strands, found = restored(alpha, seen, hair)
    inner = band(within, 0.03, DEEP_HW - 0.005)
    assert alpha[inner].max() < 0.45
    assert got[inner].mean() > 0.85
    assert found[inner].mean() > 0.85
    assert got[band(within, 0.02, 0.03)].mean() > 0.55
    np.testing.assert_allclose(strands - hair, got - alpha, atol=1e-6)
    # No further than it goes.
    assert got[band(within, -0.2, -0.005)].max() < 0.05


@pytest.mark.parametrize(
    "kind",
    [{"along": 9.0}, {"room": 0.4}, {"strands": 0.03}, {"lost": 1.0}],
    ids=["long hair", "a room as rough", "smooth hair", "a clean edge"],
)
def test_nothing_else_grows(kind: dict[str, float]) -> None:
    alpha, seen, hair, _ = head(**kind)
    got, strands, _ = restored(alpha, seen, hair)
    np.testing.assert_array_equal(strands - hair, got - alpha)
    assert np.maximum(got - alpha, 0).sum() / HW**2 < 2e-4

"""Delighting: what of a photo's light is taken off a person, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from lowkey.pixels import F32
from lowkey.plate import albedo


def scene(veil: float) -> tuple[F32, F32]:
    """A photo of skin, black hair with a few strands of brown, and a white wall, its black lifted by `veil`; and where the hair is."""
    true = np.full((120, 120, 3), 0.8, np.float32)
    true[20:, 20:100] = (0.45, 0.3, 0.22)
    true[20:70, 20:100] = 0.0
    true[20:70, 30:100:8] = (0.08, 0.05, 0.03)
    hair = np.zeros((120, 120), np.float32)
    hair[20:70, 20:100] = 1
    return (veil + (1 - veil) * true).astype(np.float32), hair


@pytest.mark.parametrize("veil", [0.02, 0.045])
def test_lifted_black_is_taken_off_hair(veil: float) -> None:
    photo, hair = scene(veil)
    got = albedo._without_veil(photo, hair)
    assert got[25:65, 21:28].max() < 0.013  # black hair returns next to nothing
    assert got[25:65, 21:28].min() > 0.005
    strand = got[40, 30]
    assert np.abs(strand - (0.08, 0.05, 0.03)).max() < 0.005
    assert np.array_equal(got[hair == 0], photo[hair == 0])


def test_a_photo_with_black_in_it_keeps_its_hair() -> None:
    photo, hair = scene(0.0)
    assert np.array_equal(albedo._without_veil(photo, hair), photo)

"""A ditch of the mesh: what is darker than both its sides, and no broader than one."""

from __future__ import annotations

import numpy as np
import pytest

from lowkey.darkroom.hollows import DITCH_HW, ditch

HW = 320.0


def test_a_ditch_is_what_is_darker_than_both_its_sides_and_no_broader_than_one() -> None:
    skin = np.ones((200, 600), np.float32)
    x = np.arange(600, dtype=np.float32)[None] / np.float32(HW) * skin
    narrow, broad = (np.where(np.abs(x - 0.9) < half, 0.1, 0.5).astype(np.float32) for half in (0.3 * DITCH_HW, 1.2 * DITCH_HW))
    at = np.s_[80:120, int(0.9 * HW)]
    assert np.median(ditch(narrow, skin, HW)[at]) == pytest.approx(0.4, rel=0.15)
    assert ditch(broad, skin, HW)[at].max() < 0.02
    assert ditch(np.asarray(x, np.float32), skin, HW)[:, 100:500].max() < 0.05  # a slope is none

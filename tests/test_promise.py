"""The promise in numbers, on finished frames, and the faults that a low-key portrait must not have."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from lowkey import photo, rig
from lowkey.darkroom import Enlarger
from lowkey.frame import Frame, Framing
from lowkey.look import Look
from lowkey.meter import measure
from lowkey.meter.reading import Measure, Reading
from lowkey.pixels import F32, luminance, srgb_decode, srgb_encode
from lowkey.plate import scan
from lowkey.plate.plate import Plate

SIZE = W, H = 512, 640


@dataclass(frozen=True)
class Taken:
    plate: Plate
    enlarger: Enlarger
    frame: Frame
    reading: Reading
    codes: F32
    """f32[h, w] luminance codes, 0..255."""

    def said(self, name: str) -> float:
        """One measure of the meter, which must be able to judge it."""
        value = self.reading.number(name)
        assert value is not None, self.reading[name]
        return value

    def part(self, name: str) -> F32:
        """A part of the plate in the frame, f32[h, w]."""
        return self.frame.placement.warp(self.plate.parts[name] * self.plate.matte, SIZE, beyond="black")


@pytest.fixture(scope="module", params=["astronaut", "obama_2012", "woman_red_hair"])
def taken(request: pytest.FixtureRequest) -> Taken:
    """One frame of the house light on NASA's portrait, and on two portraits of the reference data where it is there."""
    if request.param == "astronaut":
        plate = request.getfixturevalue("astronaut_plate")
    else:
        plate = scan(photo.read(request.getfixturevalue("shared") / "data/portraits/real" / f"{request.param}.jpg"))
    enlarger = Enlarger(plate, Framing(), SIZE)
    frame = enlarger.develop(rig.of(Look()), 1)
    codes = 255 * srgb_encode(luminance(srgb_decode(frame.pixels.astype(np.float32) / 65535)))
    return Taken(plate, enlarger, frame, measure(frame, plate), np.asarray(codes, np.float32))


def test_the_light(taken: Taken) -> None:
    """Four display stops between the lit and the dark side, which keeps its shape; the highlight bright, warm and never blown."""
    assert taken.said("lighting_ratio_stops") >= 4
    assert 8 <= taken.said("shadow_median_code") <= 50
    assert taken.said("shadow_range_codes") >= 6
    assert taken.said("face_clipped_share") <= 0.005
    # Of seven low-key pictures the brightest hundredth of the skin lies at L* 54 to 81 (codes 129 to 201): brighter, a cheek is chalk.
    assert 170 <= taken.said("highlight_code") <= 215
    warmth = taken.reading["highlight_warmth_mired"]
    if isinstance(warmth, Measure):  # else coloured light hides the skin's own colour
        assert warmth.sigma is not None
        assert warmth.number + warmth.sigma >= 10
        assert warmth.number - warmth.sigma <= 60
    edge = taken.reading["terminator_width_hw"]
    assert isinstance(edge, Measure)
    assert edge.sigma is not None
    assert edge.number - edge.sigma <= 0.14
    assert 0.35 <= taken.said("lit_share") <= 0.6


def test_the_room(taken: Taken) -> None:
    """Between a third and two thirds of the frame black but for a hair, no code 0 anywhere, and the dark contour told from the room."""
    assert 0.3 <= taken.said("frame_black_share") <= 0.6
    assert taken.said("frame_toe_code") > 3
    assert taken.said("dark_edge_codes") >= 3


def test_the_shadow_side_is_not_code_0(taken: Taken) -> None:
    face = taken.part("skin") > 0.6
    assert np.percentile(taken.codes[face], 1) > 3


def test_no_lit_flecks_float_in_the_dark(taken: Taken) -> None:
    """As promised: one may be left. It was none on all three until the ditch at the eye's corner was filled in part only (docs/LOG.md)."""
    assert taken.said("lit_islands") <= 1


def test_the_neck_is_darker_than_the_chin(taken: Taken) -> None:
    assert taken.said("neck_over_chin") < 1


def test_the_lower_third_is_no_black_hole(taken: Taken) -> None:
    """A garment is there: near black, told by the line of light along its shoulder, and not one tone beside it."""
    body = taken.frame.placement.warp(taken.plate.matte, SIZE, beyond="black") > 0.9
    body[: 2 * H // 3] = False
    assert body.mean() > 0.08
    low, middle, lit, line = np.percentile(taken.codes[body], [5, 50, 95, 99])
    assert line > 45
    assert middle > 6
    assert line - low > 40
    # Dark cloth drinks the light: where the key falls on it, it is half as bright as skin there, and nothing but its edges comes near.
    assert lit < 75


def test_no_flare_ghost_stains_collar_or_face(taken: Taken) -> None:
    """The anamorphic lens's rings lie in the room (hair beside the lamp may catch one): cloth gets none, skin a tenth of itself at most."""
    asked = rig.of(Look(flare="multi-ring anamorphic flare"))

    def seen(asked: rig.Rig) -> F32:
        return next(picture for name, picture, _ in taken.enlarger.stages(asked, 1) if name == "optics")

    clean = seen(replace(asked, lens=replace(asked.lens, rings=0)))
    ghosts = np.abs(seen(asked) - clean).max(2)
    assert ghosts.max() > 0.05, "there are rings to see"
    worn = taken.enlarger._worn(asked.cloth)
    view = taken.enlarger._view(asked, worn)
    assert ghosts[view.printed(worn.subject.cloth) * view.matte > 0.5].max() < 2.5e-4, "less than a code"
    skin = taken.part("skin") > 0.9
    assert (ghosts[skin] < 0.1 * clean.max(2)[skin] + 0.0005).all()

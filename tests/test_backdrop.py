"""Laws of the room: light comes from the lamp, the person shades it, dust shines only in the beam, seeds change only what they name."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib import resources

import cv2
import numba
import numpy as np
import pytest

from lowkey.darkroom import backdrop, film, motes, wall
from lowkey.darkroom.beam import Beam, beam_of
from lowkey.pixels import srgb_encode
from lowkey.rig import Backdrop, Direction, Lamp, Motes, Rig, Source
from lowkey.seeds import Streams

WORDS = tomllib.loads((resources.files("lowkey") / "data" / "backdrops.toml").read_text("utf-8"))
H, W = 320, 256
HEAD = (0.47, 0.405)


def rig(name: str = "dust motes and film grain", **lamp: object) -> Rig:
    fields = {part: {k: tuple(v) if isinstance(v, list) else v for k, v in WORDS[name][part].items()} for part in ("backdrop", "motes")}
    return Rig(
        Source(Direction(92, 18)), backdrop=Backdrop(**fields["backdrop"]), motes=Motes(**fields["motes"]),
        lamp=Lamp(**{"radius_fh": 0.0085, "radiance_rgb": (3200.0, 2300.0, 1400.0), **lamp}),
    )  # fmt: skip


def still(of: Rig) -> Rig:
    """Without dust."""
    return replace(of, motes=replace(of.motes, per_fh2=0))


def bust(h: int = H, w: int = W) -> np.ndarray:
    """Matte of a head and shoulders."""
    y, x = (np.mgrid[0:h, 0:w].astype(np.float32) + 0.5) / h
    cx = HEAD[0] * w / h
    head = np.minimum(1 - ((x - cx) / 0.165) ** 2 - ((y - 0.405) / 0.23) ** 2, 1)
    body = np.minimum(1 - ((x - cx) / 0.42) ** 2 - ((y - 1.02) / 0.30) ** 2, 1)
    neck = np.minimum(0.09 - np.abs(x - cx), np.minimum(y - 0.5, 0.9 - y))
    return np.clip(np.maximum(np.maximum(head, body) * 0.1, neck) * h * 0.8 + 0.5, 0, 1).astype(np.float32)


def codes(linear: np.ndarray) -> np.ndarray:
    return srgb_encode(np.clip(linear, 0, 1)) * 255


# Haze and beam


def test_haze_is_brightest_at_the_lamp_and_dies_away() -> None:
    behind = backdrop.furnish(np.zeros((H, W), np.float32), still(rig(visible=False, place_fw_fh=(0.5, -0.13))), Streams(1)).behind
    assert behind[5, 128].mean() > 3 * behind[150, 128].mean() > 6 * behind[310, 20].mean()
    red, green, blue = behind[150, 128]
    assert red > 1.2 * green > 1.2 * 1.2 * blue


def test_reach_is_how_far_the_haze_shows() -> None:
    def at_dark_side(reach: float) -> float:
        r = still(rig())
        r = replace(r, backdrop=replace(r.backdrop, reach_fh=reach))
        return float(backdrop.furnish(bust(), r, Streams(1)).behind[110, 40].mean())

    assert at_dark_side(1.0) > 1.3 * at_dark_side(0.6) > 1.3 * 1.3 * at_dark_side(0.35)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_dark_contour_parts_from_the_room(seed: int) -> None:
    # Head at 0.4 % of lit skin; the room behind its dark side is 3 codes brighter somewhere, and never a fog.
    matte = bust(640, 512)
    person = np.full((640, 512, 3), 0.004 * 0.56, np.float32)
    scene = backdrop.hang(person, matte, still(rig()), Streams(seed), level=0.56)
    printed = film.record(scene, replace(rig().stock, grain_rms=0.0), Streams(seed)).astype(np.float64).mean(axis=2) / 257
    gaps = []
    for row in range(130, 330, 20):
        edge = int(np.argmax(matte[row] > 0.5))
        gaps.append(printed[row, edge - 12 : edge - 5].mean() - printed[row, edge + 5 : edge + 12].mean())
    assert max(gaps) >= 3
    assert max(gaps) <= 25
    assert min(gaps) > -3


def test_the_person_shades_the_air_before_them() -> None:
    r, empty = still(rig()), np.zeros((H, W), np.float32)
    open_, shaded = (backdrop.haze(m, r, beam_of(r, W / H), Streams(1))[1] for m in (empty, bust()))
    # Before the head, on the side away from the lamp, the air is dark; beside the lamp nothing changes.
    assert shaded[150, 100].sum() < 0.35 * open_[150, 100].sum()
    assert shaded[40, 230] == pytest.approx(open_[40, 230], rel=0.05)


def test_the_room_is_set_against_the_person() -> None:
    r = rig()
    one, two = (backdrop.furnish(bust(), r, Streams(1)).at(k) for k in (0.25, 0.5))
    assert 2 * one.behind == pytest.approx(two.behind, rel=1e-4)
    assert two.behind.max() > 0.9 * 3200


def test_a_lamp_behind_the_head_does_not_shine_through_it() -> None:
    r = still(rig(place_fw_fh=HEAD))
    matte = np.clip(bust() * 0.985, 0, 1)
    scene = backdrop.hang(np.zeros((H, W, 3), np.float32), matte, r, Streams(1))
    assert scene[110:150, 100:140].max() < 0.2


def test_a_lamp_out_of_sight_still_lights_the_room() -> None:
    r = still(rig())
    hidden = backdrop.furnish(bust(), replace(r, lamp=replace(r.lamp, visible=False)), Streams(1)).behind
    assert hidden.max() < 2
    # It came from the right: the right half is the brighter one.
    assert hidden[:, 190:].mean() > 1.5 * hidden[:, :60].mean()
    beam = beam_of(replace(r, lamp=replace(r.lamp, visible=False)), W / H)
    assert beam.x > W / H or beam.y < 0


# Dust


def test_dust_shines_only_in_the_beam() -> None:
    beam = Beam(0.4, 0.2, -0.95, (0.0, 0.0, 1.0), 0.62, (1.0, 0.7, 0.4))
    side, ahead, behind = beam.at(np.array([[0.4, 3.2, -0.95], [0.4, 0.2, -0.2], [0.4, 0.4, -1.4]]))
    assert side.max() == 0
    assert behind.max() == 0
    assert ahead.min() > 0


@pytest.mark.parametrize("seed", [1, 5])
def test_flux_follows_the_beam(seed: int) -> None:
    r = rig()
    beam = beam_of(r, 0.8)
    r = replace(r, motes=replace(r.motes, per_fh2=320.0))
    specks = motes.scatter(r, beam, 0.8, Streams(seed))
    arriving = beam.at(specks.xyz)
    light, flux = arriving[:, 0], specks.flux[:, 0]
    # What a speck sends on is a share of what it gets, rolled off near the lamp, to a power by which what strays there is seen least; its
    # size does not depend on where it floats.
    share = flux ** (1 / (1 + motes.FAINT)) / np.maximum(light / (1 + arriving.max(1) / 0.9), 1e-12)
    quarters = [q[light[q] > 0] for q in np.array_split(np.argsort(light), 4)]
    medians = [float(np.median(share[q])) for q in quarters]
    assert max(medians) < 1.45 * min(medians)  # each is a median of some 300 log-normal sizes: known to 7 %
    assert light[quarters[3]].mean() > 8 * light[quarters[0]].mean()
    assert flux[quarters[3]].mean() > 40 * flux[quarters[0]].mean()
    assert flux[light == 0].max(initial=0) == 0


def test_sizes_are_points_of_many_sizes_and_no_discs() -> None:
    """Dust in the beam behind a head is out of focus by a little: thousands of specks, and none that an eye takes for a disc."""
    r = rig()
    r = replace(r, motes=replace(r.motes, per_fh2=3000.0))
    blur = motes.scatter(r, beam_of(r, 0.8), 0.8, Streams(1)).blur
    assert 0.0002 < np.median(blur) < 0.0008
    assert 0.1 < (blur > 2.5 * np.median(blur)).mean() < 0.5
    assert blur.max() <= 0.005


def test_smoke_has_discs_among_its_points() -> None:
    r = rig("smoke and bokeh")
    r = replace(r, motes=replace(r.motes, per_fh2=3000.0))
    blur = motes.scatter(r, beam_of(r, 0.8), 0.8, Streams(1)).blur
    assert np.median(blur) < 0.003
    assert 0.02 < (blur > 0.01).mean() < 0.25
    assert blur.max() <= 0.030


def test_there_are_enough_motes_to_see() -> None:
    # Bumps of two codes and more on the room's own film tones, grain apart.
    r = rig()
    matte = np.zeros((1280, 1024), np.float32)
    prints = [
        film.record(backdrop.furnish(matte, x, Streams(2)).behind, replace(r.stock, grain_rms=0.0, halation_gain=0.0), Streams(2))
        for x in (r, still(r))
    ]
    more = (prints[0].astype(np.float64) - prints[1]).mean(axis=2) / 257
    count, *_ = cv2.connectedComponents((more > 2).astype(np.uint8))
    assert (count - 1) / 0.8 >= 60


def test_no_mote_before_the_head_or_on_what_is_kept_clear() -> None:
    r = rig()
    r = replace(r, motes=replace(r.motes, per_fh2=3000, front=0.5))
    matte, keep = bust(640, 512), np.zeros((640, 512), np.float32)
    keep[40:160, 400:500] = 1
    dusty, clean = (backdrop.furnish(matte, x, Streams(3), keep_clear=keep).before for x in (r, still(r)))
    more = (dusty - clean).max(axis=2)
    assert more.max() > 1e-3
    assert more[keep > 0].max() < 1e-6
    above = matte > 0.5
    above[int((HEAD[1] + 0.3) * 640) :] = False
    assert more[above].max() < 1e-6


def test_a_mote_keeps_its_light_at_any_size() -> None:
    specks = motes.scatter(rig(), beam_of(rig(), 0.8), 0.8, Streams(1))
    inside = (specks.xyz[:, 0] > 0.05) & (specks.xyz[:, 0] < 0.75) & (specks.xyz[:, 1] > 0.05) & (specks.xyz[:, 1] < 0.95)
    total = []
    for h in (320, 1280):
        into = np.zeros((h, round(0.8 * h), 3), np.float32)
        motes.draw(specks, inside, into)
        total.append(into.sum((0, 1), dtype=np.float64) / h**2)
    assert total[0] == pytest.approx(total[1], rel=0.01)
    assert total[1] == pytest.approx(specks.flux[inside].sum(axis=0), rel=0.01)


# Walls and smoke


@pytest.mark.parametrize("name", ["smoke and bokeh", "concrete texture", "crushed velvet"])
def test_every_word_is_another_room(name: str) -> None:
    matte = bust()
    plain, other = (backdrop.furnish(matte, still(rig(x)), Streams(1)).behind for x in ("dust motes and film grain", name))
    gap = np.abs(codes(plain) - codes(other)).max(axis=2)[matte < 0.1]
    assert np.percentile(gap, 80) > 4


@pytest.mark.parametrize("name", ["concrete texture", "crushed velvet"])
def test_relief_is_raked_from_the_lamps_side(name: str) -> None:
    # Mirror the lamp and the same relief is lit on its other flanks; straight on it nearly loses its relief.
    r = rig(name)
    shape = (320, 256)
    lights = [wall.hung(r, replace(beam_of(r, 0.8), x=x, y=0.4), shape, Streams(1)).mean(axis=2) for x in (-0.1, 0.9)]
    fine = [x / cv2.GaussianBlur(x, (0, 0), 12) for x in lights]
    middle = (slice(60, 260), slice(100, 156))
    assert np.corrcoef(fine[0][middle].ravel(), fine[1][middle].ravel())[0, 1] < 0.35
    left, right = (x[:, 40].mean() / x[:, 216].mean() for x in lights)
    assert left > 1.5
    assert right < 1 / 1.5


def test_velvet_is_dyed_and_concrete_is_not() -> None:
    r = rig("crushed velvet")
    red, green, _ = wall.hung(r, beam_of(r, 0.8), (320, 256), Streams(1)).mean((0, 1))
    assert red > 4 * green
    r = rig("concrete texture")
    red, green, _ = wall.hung(r, replace(beam_of(r, 0.8), rgb=(1.0, 1.0, 1.0)), (320, 256), Streams(1)).mean((0, 1))
    assert red < 2 * green


@pytest.mark.parametrize("name", WORDS)
def test_a_preview_is_the_print_made_small(name: str) -> None:
    r = rig(name)
    # Bright enough to matter, lamp apart: its disc's edge is another test.
    r = replace(r, lamp=replace(r.lamp, visible=False))
    big = backdrop.furnish(bust(1280, 1024), r, Streams(1))
    small = backdrop.furnish(bust(640, 512), r, Streams(1))
    gap = np.abs(codes(small.behind) - codes(big.behind.reshape(640, 2, 512, 2, 3).mean((1, 3)))).max(axis=2)
    assert np.median(gap) < 1.0
    assert np.percentile(gap, 95) < 6.0
    gap = np.abs(codes(small.before) - codes(big.before.reshape(640, 2, 512, 2, 3).mean((1, 3))))
    assert np.percentile(gap, 99) < 2.0


def test_a_wider_frame_goes_on_where_a_narrower_one_stops() -> None:
    r = rig("concrete texture")
    beam = beam_of(r, 0.8)
    narrow, wide = (wall.hung(r, beam, (320, w), Streams(1)) for w in (224, 320))
    assert np.abs(codes(narrow) - codes(wide[:, :224]))[:, :214].max() < 6


# Seeds and threads


@pytest.mark.parametrize("name", WORDS)
def test_same_seed_same_bytes_whatever_the_threads(name: str) -> None:
    person = np.full((H, W, 3), 0.01, np.float32)

    def shot() -> bytes:
        return backdrop.hang(person, bust(), rig(name), Streams(4)).tobytes()

    most = numba.config.NUMBA_NUM_THREADS
    before = cv2.getNumThreads()
    try:
        numba.set_num_threads(1)
        cv2.setNumThreads(1)
        one = shot()
        numba.set_num_threads(min(2, most))
        cv2.setNumThreads(2)
        assert shot() == one
    finally:
        numba.set_num_threads(most)
        cv2.setNumThreads(before)


def test_seeds_move_dust_and_folds() -> None:
    a, b = (motes.scatter(rig(), beam_of(rig(), 0.8), 0.8, Streams(s)).xyz for s in (1, 2))
    n = min(len(a), len(b))
    assert np.abs(a[:n] - b[:n]).max(axis=1).min() > 1e-4
    v, u = (wall.velvet((200, 160), Streams(s))[0] for s in (1, 2))
    assert abs(np.corrcoef(v.ravel(), u.ravel())[0, 1]) < 0.6


def test_haze_does_not_move_when_dust_is_switched_off() -> None:
    matte = np.zeros((H, W), np.float32)
    dusty, clean = (backdrop.furnish(matte, x, Streams(6)).behind for x in (rig(), still(rig())))
    assert (dusty - clean).min() > -1e-5
    assert np.median(np.abs(dusty - clean)) < 1e-4


def test_the_beam_leaves_a_breath_of_light_behind_the_dark_side() -> None:
    r = still(rig())
    left = backdrop.spill(r, beam_of(r, W / H, HEAD), (H, W), HEAD)
    assert left.min() >= 0
    assert left[130, 50].min() > 1.5 * left[130, 230].max()
    mirrored = replace(r, lamp=replace(r.lamp, place_fw_fh=(1 - r.lamp.place_fw_fh[0], r.lamp.place_fw_fh[1])))
    there = (1 - HEAD[0], HEAD[1])
    assert backdrop.spill(mirrored, beam_of(mirrored, W / H, there), (H, W), there)[:, ::-1] == pytest.approx(left, abs=1e-6)

"""Laws of the lens: it keeps light, it is linear, flare is proportional to the lamp and absent without one."""

from __future__ import annotations

import itertools
import tomllib
from importlib import resources

import numpy as np
import pytest

from lowkey.darkroom import optics
from lowkey.rig import Lamp, Lens

WORDS = tomllib.loads((resources.files("lowkey") / "data" / "flares.toml").read_text("utf-8"))
H, W = 320, 256


def word(name: str, **change: object) -> tuple[Lens, Lamp]:
    fields = {part: {k: tuple(v) if isinstance(v, list) else v for k, v in WORDS[name][part].items()} for part in ("lens", "lamp")}
    return Lens(**{"vignette_ev": 0.0, **fields["lens"], **change}), Lamp(**{"place_fw_fh": (0.5, 0.5), **fields["lamp"]})


def lit(lamp: Lamp, h: int = H, w: int = W, base: float = 0.0) -> np.ndarray:
    """A black room with the lamp's disc in it."""
    y, x = np.mgrid[0:h, 0:w].astype(np.float32) + 0.5
    r = np.hypot(x - lamp.place_fw_fh[0] * w, y - lamp.place_fw_fh[1] * h)
    disc = np.clip(lamp.radius_fh * h - r + 0.5, 0, 1)
    return (base + disc[..., None] * np.array(lamp.radiance_rgb)).astype(np.float32)


@pytest.mark.parametrize("name", WORDS)
def test_a_flat_field_stays_flat(name: str) -> None:
    lens, lamp = word(name)
    flat = np.full((H, W, 3), 0.37, np.float32)
    assert np.abs(optics.focus(flat, lens, lamp) - 0.37).max() < 2e-4


@pytest.mark.parametrize("shape", [(320, 256), (331, 257)])
def test_scatter_keeps_the_sum_of_light(shape: tuple[int, int]) -> None:
    lens, lamp = word("prominent bright halo", spike_gain=0.0)
    scene = np.random.default_rng(1).random((*shape, 3)).astype(np.float32) ** 4
    scene[40:44, 60:64] = 500
    out = optics.focus(scene, lens, lamp)
    assert out.sum((0, 1), dtype=np.float64) == pytest.approx(scene.sum((0, 1), dtype=np.float64), rel=4e-3)


def test_flare_is_taken_from_the_lamp() -> None:
    # Spikes included; the part of them that would leave the frame is small for a lamp in its middle.
    lens, lamp = word("prominent bright halo")
    scene = lit(lamp)
    out = optics.focus(scene, lens, lamp)
    assert out.sum(dtype=np.float64) == pytest.approx(scene.sum(dtype=np.float64), rel=6e-3)


@pytest.mark.parametrize("name", ["prominent bright halo", "multi-ring anamorphic flare"])
def test_halo_is_proportional_to_the_lamp(name: str) -> None:
    lens, lamp = word(name)
    scene = lit(lamp)
    one, two = optics.focus(scene, lens, lamp), optics.focus(2 * scene, lens, lamp)
    seen = one > 1e-3
    assert seen.mean() > 0.03
    assert np.abs(two[seen] / one[seen] - 2).max() < 0.05


def test_light_adds() -> None:
    lens, lamp = word("prominent bright halo")
    person = np.random.default_rng(2).random((H, W, 3)).astype(np.float32)
    person[100:, 60:] *= 0.01
    person[100:220, 90:170] = 0
    scene = lit(lamp)
    both = optics.focus(person + scene, lens, lamp)
    apart = optics.focus(person, lens, lamp) + optics.focus(scene, lens, lamp)
    assert np.abs(both - apart).max() < 2e-2 * float(both.max()) / 100


def test_halo_falls_from_the_lamp_and_is_warm() -> None:
    lens, lamp = word("prominent bright halo", spike_gain=0.0)
    row = optics.focus(lit(lamp, 640, 512), lens, lamp)[320]
    at = [row[256 + round(r * 640)].mean() for r in (0.03, 0.06, 0.12, 0.2, 0.3)]
    assert all(a > 1.6 * b for a, b in itertools.pairwise(at))
    red, green, blue = row[256 + 96]
    assert red > 1.3 * green > 1.3 * 1.3 * blue


def test_no_flare_adds_nothing_round_a_highlight() -> None:
    lens, lamp = word("no flare")
    scene = np.zeros((H, W, 3), np.float32)
    scene[150:156, 120:126] = 1.0
    out = optics.focus(scene, lens, lamp)
    assert out[153, 123 + 30 :].max() < 1e-5
    assert out[153, 123].min() > 0.9


def test_clean_backlight_is_a_small_halo_without_spikes_or_streak() -> None:
    halo, clean = (optics.focus(lit(word(n)[1], 640, 512), *word(n)) for n in ("prominent bright halo", "clean backlight"))
    assert clean[320, 256 + 96].max() < 0.25 * halo[320, 256 + 96].max()
    ring = [clean[round(320 + 64 * np.sin(a)), round(256 + 64 * np.cos(a))].mean() for a in np.linspace(0, 2 * np.pi, 90)]
    assert np.ptp(ring) < 0.2 * np.mean(ring)


def test_spikes_follow_the_blades() -> None:
    profile = optics.iris_profile(8)
    assert profile.mean() == pytest.approx(1, abs=1e-5)
    peaks = (profile > 2.5) & (profile >= np.roll(profile, 1)) & (profile > np.roll(profile, -1))
    # Eight blades: eight spikes, a little unequal; a slightly split one may count twice.
    assert 8 <= peaks.sum() <= 12
    assert profile.max() < 40


def test_anamorphic_streak_is_horizontal_and_cool_and_its_rings_are_many() -> None:
    lens, lamp = word("multi-ring anamorphic flare")
    h, w = 640, 512
    out = optics.focus(lit(lamp, h, w), lens, lamp)
    plain = optics.focus(lit(lamp, h, w), word("multi-ring anamorphic flare", streak_gain=0.0, rings=0)[0], lamp)
    extra = out - plain
    # Across: far brighter along the lamp's row than a little below it, and blue beyond the lamp.
    assert extra[320, 256 + 120].max() > 5 * extra[320 + 24, 256 + 120].max()
    assert extra[320, 256 + 120, 2] > 1.5 * extra[320, 256 + 120, 0]
    # Down: each ring is a bump.
    column = extra[320:, 256].mean(axis=1)
    bumps = (column[1:-1] > column[:-2]) & (column[1:-1] >= column[2:]) & (column[1:-1] > 0.002)
    assert bumps[20:].sum() >= 3


def test_flare_spares_what_must_stay_clear() -> None:
    lens, lamp = word("multi-ring anamorphic flare")
    scene = lit(lamp)
    face = np.zeros((H, W), np.float32)
    face[90:230, 20:110] = 1
    soiled, spared = optics.focus(scene, lens, lamp), optics.focus(scene, lens, lamp, clear=face)
    bare = optics.focus(scene, word("multi-ring anamorphic flare", streak_gain=0.0, rings=0)[0], lamp)
    left, kept = (soiled - bare)[130:190, 40:90].max(), (spared - bare)[130:190, 40:90].max()
    assert kept < 0.35 * left
    # Elsewhere nothing changes.
    assert np.abs(soiled - spared)[:, 200:].max() < 1e-4


def test_a_hidden_lamp_gives_no_flare() -> None:
    lens, lamp = word("multi-ring anamorphic flare")
    dark = np.full((H, W, 3), 0.01, np.float32)
    assert np.abs(optics.focus(dark, lens, lamp) - 0.01).max() < 1e-5


@pytest.mark.parametrize("name", ["prominent bright halo", "clean backlight", "multi-ring anamorphic flare"])
def test_a_preview_is_the_print_made_small(name: str) -> None:
    lens, lamp = word(name, vignette_ev=0.35)
    big = optics.focus(lit(lamp, 1280, 1024, 0.01), lens, lamp).reshape(640, 2, 512, 2, 3).mean((1, 3))
    small = optics.focus(lit(lamp, 640, 512, 0.01), lens, lamp)
    y, x = np.mgrid[0:640, 0:512]
    away = np.hypot(x - 255.5, y - 319.5) > 0.03 * 640
    gap = np.abs(np.log2((small + 2e-3) / (big + 2e-3))).max(axis=2)[away]
    assert np.percentile(gap, 99) < 0.12
    assert np.median(gap) < 0.03


def test_vignette_loses_what_it_says_in_the_corner() -> None:
    v = optics.vignette(1280, 1024, 0.35)
    assert np.log2(v[640, 512]) == pytest.approx(0, abs=0.01)
    assert np.log2(v[0, 0]) == pytest.approx(-0.35, abs=0.01)

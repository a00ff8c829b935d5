"""A look in numbers: lights, cloth, lamp, motes, backdrop, lens and film stock.

Axes are the camera's: x to camera-right, y up, z toward the camera. Azimuth 0 is at the camera, +90 camera-right
(the viewer's right, frame-right), 180 behind the subject; elevation + is up. The key's irradiance on a surface facing it is 1.0.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Any, TypeVar

from lowkey.blackbody import RGB, luminance_of, warmth
from lowkey.look import Look, Term, parse, table
from lowkey.seeds import Streams
from lowkey.spec import Remedy

KEY_HW = 9.0
"""Where a key asked for by numbers stands, in head-widths from the head's centre: about 1.3 m, as in a studio."""


@dataclass(frozen=True)
class Direction:
    """Where a light stands, seen from the subject."""

    azimuth_deg: float
    elevation_deg: float

    @property
    def vector(self) -> RGB:
        """Unit vector toward the light: (x right, y up, z toward the camera)."""
        a, e = math.radians(self.azimuth_deg), math.radians(self.elevation_deg)
        return (math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e))

    def mirrored(self) -> Direction:
        return Direction(-self.azimuth_deg, self.elevation_deg)


@dataclass(frozen=True)
class Auto:
    """A direction still to be aimed at a face: choose the azimuth in `arc_deg` that lights `lit` of it, its near cheek above all."""

    lit: float
    arc_deg: tuple[float, float]
    elevation_deg: float
    cheek: float = 0.0
    """Least cosine under which the front of the near cheek is to see the lamp."""


@dataclass(frozen=True)
class Source:
    """One lamp. `distance_hw` is infinite for a sun-like source; else inverse-square from the head's centre."""

    direction: Direction | Auto
    irradiance_rgb: RGB = (1.0, 1.0, 1.0)
    """On a surface at the head's centre that faces it."""
    angular_radius_deg: float = 2.5
    distance_hw: float = math.inf
    grid_deg: float = 180.0
    """Full angle at which a honeycomb grid leaves half of a near lamp's light; 180 is a bare lamp."""


@dataclass(frozen=True)
class Cloth:
    """What the person wears. `kind`: as-worn, turtleneck, leather, linen, bare; own is as worn and not even darkened."""

    kind: str = "as-worn"
    reflectance: float = 0.04
    """Mean luminance reflectance the cloth is brought to."""


@dataclass(frozen=True)
class Lamp:
    """The practical light seen in the frame. `place_fw_fh`: fractions of frame width and height from the top left."""

    visible: bool = True
    place_fw_fh: tuple[float, float] = (0.765, 0.19)
    radius_fh: float = 0.012
    radiance_rgb: RGB = (300.0, 216.0, 132.0)
    """Of the disc, where lit skin is about 0.5: a lamp this small that keys a face is some nine stops brighter than it."""
    depth_fh: float = 0.95
    """How far behind the subject it stands."""
    aureole: float = 0.0
    """Light of the haze right round it, against the disc's own."""
    seen: float = 0.5
    """Share of the disc that the head's outline leaves to be seen; 0 stands behind the head, which wears its halo."""


@dataclass(frozen=True)
class Motes:
    """Dust in the beam. `per_fh2` counts motes on a square of one frame height."""

    per_fh2: float = 420.0
    brightness: float = 1.0
    clustering: float = 0.55
    """Share gathered round the lamp and along the air's slow currents."""
    front: float = 0.05
    """Share that floats before the subject."""
    focus_fh: float = 0.0011
    """Median diameter of the circle of confusion (its spread is half-Cauchy)."""


@dataclass(frozen=True)
class Backdrop:
    """The room behind: kind plain (dust and grain only), smoke, concrete, velvet."""

    kind: str = "plain"
    reflectance: float = 0.02
    tint_rgb: RGB = (1.0, 1.0, 1.0)
    """Of the wall or the cloth."""
    haze: float = 1.0
    """Density of the air against the default's."""
    reach_fh: float = 0.62
    """How far from the lamp the haze still shows: the seeds vary this most."""
    depth_fh: float = 1.35
    """How far behind the subject the wall or cloth hangs."""
    smoke: float = 0.0
    """Density of drifting smoke, 0 none."""
    bokeh: float = 0.0
    """Blurred discs of far lights, 0 none."""


@dataclass(frozen=True)
class Lens:
    """What the optics add. `flare`: none, clean, halo, anamorphic."""

    flare: str = "halo"
    halo_radius_fh: float = 0.15
    halo_gain: float = 1.0
    """1 scatters 2.5 % of all light into the wide halo."""
    spike_gain: float = 1.0
    """Diffraction at the blades of the iris; 1 sends 0.6 % of the lamp's light into the spikes."""
    streak_gain: float = 0.0
    """Horizontal anamorphic streak; 1 sends 1.2 % of the lamp's light along it."""
    rings: int = 0
    """Ghost rings of an anamorphic lens."""
    veil: float = 0.0005
    """Share of the frame's mean energy that spreads evenly over it."""
    bloom: float = 0.10
    blades: int = 8
    vignette_ev: float = 1.4
    """Light lost in the corners, in stops."""


@dataclass(frozen=True)
class Stock:
    """A film stock. Lengths are um on a frame 36 mm high."""

    name: str = "tungsten-500"
    toe_code: int = 5
    """sRGB code that no light at all prints as."""
    shoulder_code: int = 232
    """sRGB code that a skin highlight at 90th percentile x 1.6 rolls off to."""
    contrast: float = 1.0
    grain_rms: float = 0.017
    """RMS of the print's density at mid density through a 48 um aperture (the diffuse rms granularity of data sheets)."""
    grain_um: float = 12.0
    """Mean diameter of a grain clump."""
    grain_chroma: float = 0.35
    """Share of each layer's grain that is its own."""
    halation_um: float = 120.0
    halation_gain: float = 0.06
    halation_rgb: RGB = (1.0, 0.28, 0.04)
    adjacency: float = 0.4
    """How far development moves a tone off its neighbours' mean, as a share of its distance from it in log exposure."""
    adjacency_um: float = 38.0
    """Sigma of that neighbourhood."""
    saturation: float = 1.0
    balance_rgb: RGB = (1.007, 0.98, 0.967)
    """Exposure gain of the three layers: timed a little yellow, for lit flesh turns from hue 50 to 60 and more as it brightens."""
    print_rgb: RGB = (0.0, 0.0, 0.0)
    """Tone of the print in its middle greys, added in display-linear relative units (a warm paper is positive in red)."""
    monochrome: bool = False
    spectral_rgb: RGB = (0.2126, 0.7152, 0.0722)
    """Weights of a monochrome stock."""


@dataclass(frozen=True)
class Rig:
    """Everything a picture needs beside the person. Frozen; `Auto` is resolved by the darkroom and the Frame records the result."""

    key: Source
    rim: Source | None = None
    extra: tuple[Source, ...] = ()
    fill_ev: float = -6.6
    """Frontal fill against the key in scene stops; minus infinity is no fill."""
    ambient_rgb: RGB = (0.0093, 0.0088, 0.0084)
    """Irradiance from everywhere, before occlusion."""
    cloth: Cloth = field(default_factory=Cloth)
    lamp: Lamp = field(default_factory=Lamp)
    motes: Motes = field(default_factory=Motes)
    backdrop: Backdrop = field(default_factory=Backdrop)
    lens: Lens = field(default_factory=Lens)
    stock: Stock = field(default_factory=Stock)
    exposure_ev: float | None = None
    """None: metered on the lit skin and recorded; a number is added to that metering when given with `exposure_is_offset`."""
    exposure_offset_ev: float = 0.0
    steady: bool = False
    """True: nothing moves from seed to seed."""


# From a look to a rig.

_LAMP_KELVIN = 3800.0
"""Where warmer and cooler are reckoned from: between the lamps of the table."""
_REAR_DEG = 75.0
"""From this azimuth on a lamp also rims the far edge, and from _IN_FRAME_DEG on it can be seen in the frame."""
_IN_FRAME_DEG = 110.0


def of(look: Look, remedies: Iterable[Remedy] = ()) -> Rig:
    """The rig of a look: words by their tables, numbers as given, then overrides, and what earlier takes lacked last."""
    background, flare = look.term("background"), look.term("flare")
    rig = _lit(look.term("light"))
    rig = replace(rig, cloth=_cloth(look.term("clothing")))
    if background.word:
        values = background.word.values
        rig = replace(rig, backdrop=_filled(rig.backdrop, values["backdrop"]), motes=_filled(rig.motes, values["motes"]))
    else:
        rig = replace(rig, motes=replace(rig.motes, per_fh2=background.numbers[0]))
    if light := look.term("light").word:
        rig = replace(rig, backdrop=replace(rig.backdrop, haze=rig.backdrop.haze * light.values.get("air", 1.0)))
        rig = replace(rig, fill_ev=rig.fill_ev + light.values.get("fill", 0.0))
    rig = replace(_flared(rig, flare), stock=_filled(Stock(look.stock), table("stocks")[look.stock]))
    return remedied(_overridden(rig, look.overrides), remedies)


def lone_key(direction: Direction, angular_radius_deg: float = 0.5, distance_hw: float = KEY_HW) -> Rig:
    """One white key exactly there, and nothing else: no rim, fill, ambient or cloth, the same for every seed."""
    key = Source(direction, (1.0, 1.0, 1.0), angular_radius_deg, distance_hw)
    dark = Lamp(visible=False)
    return Rig(key, fill_ev=-math.inf, ambient_rgb=(0.0, 0.0, 0.0), cloth=Cloth("own", 0.0), lamp=dark, steady=True)


def _lit(light: Term) -> Rig:
    """Key, rim and lamp of one colour, so that the eye takes them for one lamp."""
    if light.word is None:
        return _lit_by_numbers(*light.numbers)
    values = light.word.values
    side = -1 if light.word.mirrored else 1
    colour = warmth(values["kelvin"])
    rims = [_source(values[name], colour, side) for name in ("rim", "other_rim") if name in values]
    wraps = [_source(values["wrap"], colour, side)] if "wrap" in values else []
    fw, fh = values["lamp"]["place_fw_fh"]
    lamp = Lamp(place_fw_fh=(fw if side > 0 else 1 - fw, fh))
    return Rig(_source(values["key"], colour, side), rims[0] if rims else None, (*rims[1:], *wraps), lamp=lamp)


def _lit_by_numbers(azimuth: float, elevation: float, radius: float = 2.5) -> Rig:
    """One key exactly where asked; a rim joins it, and the lamp shows, only where such a lamp would."""
    colour = warmth(3800)
    key = Source(Direction(azimuth, elevation), colour, radius, KEY_HW)
    side = -1 if azimuth < 0 else 1
    away = abs(azimuth)
    rim = Source(Direction(side * max(away, 150.0), 24.0), _scaled(colour, 0.85), 3.0, 11.0) if away >= _REAR_DEG else None
    # Behind, the lamp stands at the head's outline or behind the head (`Enlarger`); else it lights from beyond the frame's edge.
    if away >= _IN_FRAME_DEG:
        fw, fh = (0.5, 0.33) if away > 165 else (0.5 + side * 0.265, 0.19)
    elif elevation > 45:
        fw, fh = 0.5 + side * 0.1, -0.03
    else:
        fw, fh = 0.5 + side * 0.53, 0.30 - 0.005 * elevation
    return Rig(key, rim, lamp=Lamp(place_fw_fh=(fw, fh)))


def _source(values: Mapping[str, Any], colour: RGB, side: int) -> Source:
    """One source of a light's table; side -1 is its mirrored form."""
    direction: Direction | Auto
    if "lit" in values:
        low, high = values["arc_deg"]
        direction = Auto(values["lit"], (low, high) if side > 0 else (-high, -low), values["elevation_deg"], values["cheek"])
    else:
        azimuth = values["azimuth_deg"]
        direction = Direction(azimuth if abs(azimuth) == 180 else side * azimuth, values["elevation_deg"])
    strength, grid = values.get("strength", 1.0), values.get("grid_deg", 180.0)
    return Source(direction, _scaled(colour, strength), values["radius_deg"], values.get("distance_hw", math.inf), grid)


def _cloth(clothing: Term) -> Cloth:
    if clothing.word is None:
        return Cloth("as-worn", clothing.numbers[0])
    return _filled(Cloth(), clothing.word.values["cloth"])


def _flared(rig: Rig, flare: Term) -> Rig:
    """The lens of a flare word; a strength stands between "no flare" and "prominent bright halo"."""
    word = flare.word
    strength = 1.0
    if word is None:
        strength = flare.numbers[0]
        word = parse("flare", "prominent bright halo" if strength > 0 else "no flare").word
    assert word is not None
    lens = _filled(rig.lens, word.values["lens"])
    lens = replace(lens, halo_gain=lens.halo_gain * strength, spike_gain=lens.spike_gain * strength)
    # The lamp is as bright as the flare wants it and of the key's colour, or there would be two lamps.
    lamp = _filled(rig.lamp, word.values["lamp"])
    lamp = replace(
        lamp, radiance_rgb=_scaled(rig.key.irradiance_rgb, luminance_of(lamp.radiance_rgb) / luminance_of(rig.key.irradiance_rgb))
    )
    return replace(rig, lens=lens, lamp=lamp)


def _overridden(rig: Rig, given: Mapping[str, float]) -> Rig:
    if "lamp_visible" in given:
        rig = replace(rig, lamp=replace(rig.lamp, visible=bool(given["lamp_visible"])))
    if "halo_radius_fh" in given:
        rig = replace(rig, lens=replace(rig.lens, halo_radius_fh=given["halo_radius_fh"]))
    if "motes_per_fh2" in given:
        rig = replace(rig, motes=replace(rig.motes, per_fh2=given["motes_per_fh2"]))
    if "grain_rms" in given:
        rig = replace(rig, stock=replace(rig.stock, grain_rms=given["grain_rms"]))
    return replace(rig, fill_ev=given.get("fill_ev", rig.fill_ev), exposure_offset_ev=given.get("exposure_ev", rig.exposure_offset_ev))


# What an earlier take lacked, in numbers: each remedy's changes are data (data/remedies.toml).


def remedied(rig: Rig, remedies: Iterable[Remedy]) -> Rig:
    """The rig with each remedy's changes made. Remedies that only a person or a painting model can carry out change nothing."""
    for remedy in remedies:
        for change in remedy.changes:
            if "number" in change:
                rig = _renumbered(rig, change["number"].split("."), change, remedy.size)
            else:
                rig = _relit(rig, change, remedy.size)
    return rig


def _renumbered(whole: Any, path: list[str], change: Mapping[str, Any], size: float) -> Any:
    """A frozen value with the number at `path` changed; a part that is not there stays away."""
    if path == ["exposure"]:  # the rig's own, if it has one, else what is added to the meter's
        path = ["exposure_offset_ev" if whole.exposure_ev is None else "exposure_ev"]
    part = getattr(whole, path[0])
    if part is None:
        return whole
    if len(path) > 1:
        parts = tuple(_renumbered(one, path[1:], change, size) for one in (part if isinstance(part, tuple) else (part,)))
        return replace(whole, **{path[0]: parts if isinstance(part, tuple) else parts[0]})
    values = tuple(_moved(value, change, size) for value in part) if isinstance(part, tuple) else _moved(part, change, size)
    return replace(whole, **{path[0]: values})


def _moved(value: float, change: Mapping[str, Any], size: float) -> float:
    start = max(value, float(change.get("from", -math.inf)))
    moved = start + float(change["by"]) * size if "by" in change else start * 2.0 ** (float(change["doubles"]) * size)
    # A number that is beyond its limit already is left there, not brought back.
    most, least = float(change.get("most", math.inf)), float(change.get("least", -math.inf))
    return max(min(moved, max(most, value)), min(least, value))


def _relit(rig: Rig, change: Mapping[str, Any], size: float) -> Rig:
    """The lights moved or coloured as one, so that they stay one lamp to the eye."""
    side = leans(rig)
    if "mirror" in change:
        fw, fh = rig.lamp.place_fw_fh
        key, *others = (_mirrored(source) for source in (rig.key, *([rig.rim] if rig.rim else ()), *rig.extra))
        rim, extra = (others[0], tuple(others[1:])) if rig.rim else (None, tuple(others))
        return replace(rig, key=key, rim=rim, extra=extra, lamp=replace(rig.lamp, place_fw_fh=(1 - fw, fh)))
    if "warm" in change:
        return _warmed(rig, change["warm"] * size)
    # The key alone moves: the rim and the lamp stand behind whatever the key does.
    return replace(rig, key=_turned(rig.key, side * change.get("turn", 0.0) * size, change.get("lift", 0.0) * size))


def _mirrored(source: Source) -> Source:
    direction = source.direction
    if isinstance(direction, Direction):
        return replace(source, direction=direction.mirrored())
    low, high = direction.arc_deg
    return replace(source, direction=replace(direction, arc_deg=(-high, -low)))


def _warmed(rig: Rig, mired: float) -> Rig:
    """Every light and the lamp, shifted by so many mired at the look's own colour of lamp."""
    before, after = warmth(_LAMP_KELVIN), warmth(1e6 / (1e6 / _LAMP_KELVIN + mired))
    gain = [new / old for new, old in zip(after, before, strict=True)]

    def coloured(rgb: RGB) -> RGB:
        shifted = (rgb[0] * gain[0], rgb[1] * gain[1], rgb[2] * gain[2])
        return _scaled(shifted, luminance_of(rgb) / max(luminance_of(shifted), 1e-9))

    lights = (rig.key, *([rig.rim] if rig.rim else ()), *rig.extra)
    key, *rest = (replace(one, irradiance_rgb=coloured(one.irradiance_rgb)) for one in lights)
    rim, extra = (rest[0], tuple(rest[1:])) if rig.rim else (None, tuple(rest))
    return replace(rig, key=key, rim=rim, extra=extra, lamp=replace(rig.lamp, radiance_rgb=coloured(rig.lamp.radiance_rgb)))


Part = TypeVar("Part", Cloth, Lamp, Motes, Backdrop, Lens, Stock)


def _filled(part: Part, fields: Mapping[str, Any]) -> Part:
    """The part with the fields that a table names; TOML's lists become tuples."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    return replace(part, **values)


def _scaled(colour: RGB, by: float) -> RGB:
    return (colour[0] * by, colour[1] * by, colour[2] * by)


# From one seed to the next the composition stays; the halo's reach moves most, the light a little.


def jittered(rig: Rig, streams: Streams) -> Rig:
    """The rig of one seed."""
    if rig.steady:
        return rig
    seed = streams.seed
    side = -1 if leans(rig) < 0 else 1  # a mirrored rig varies in the mirror
    turn, lift = 1.7 * side * (2 * _even(seed, 0) - 1), 2 * (2 * _even(seed, 1) - 1)
    fw, fh = rig.lamp.place_fw_fh
    own = streams.of_photo  # where this person's lamps begin: a set of portraits at one seed is not lit from one height
    # Along the head's outline, right and down or left and up, so that neighbours stay apart there, where it ends up (see `Enlarger`).
    along, over = _normal(seed, 2), _normal(seed, 3, own)
    # A lamp straight behind the head, or out of the frame, stays so.
    beside = abs(fw - 0.5) > 0.15 and 0 < fw < 1 and fh > 0.05
    moved = (fw + side * 0.055 * along, fh + 0.045 * along + 0.018 * over) if beside else (fw + side * 0.035 * along, fh + 0.028 * over)
    reach = math.sqrt(3) * (2 * _even(seed, 4) - 1)  # even, not normal: neighbours stay apart; its deviation is 1 as well
    return replace(
        rig,
        key=_turned(rig.key, turn, lift),
        rim=_turned(rig.rim, turn, lift) if rig.rim else None,
        lamp=replace(rig.lamp, place_fw_fh=moved),
        lens=replace(rig.lens, halo_radius_fh=rig.lens.halo_radius_fh * math.exp(0.24 * reach + 0.115 * _normal(seed, 5))),
        backdrop=replace(
            rig.backdrop,
            reach_fh=rig.backdrop.reach_fh * math.exp(0.26 * reach),
            haze=rig.backdrop.haze * math.exp(0.25 * reach + 0.08 * _normal(seed, 6)),
        ),
        motes=replace(rig.motes, per_fh2=rig.motes.per_fh2 * math.exp(0.10 * _normal(seed, 7))),
    )


def leans(rig: Rig) -> int:
    """-1 when the key comes from frame-left, else 1."""
    direction = rig.key.direction
    azimuth = direction.azimuth_deg if isinstance(direction, Direction) else sum(direction.arc_deg)
    return -1 if azimuth < 0 else 1


def _turned(source: Source, turn_deg: float, lift_deg: float) -> Source:
    direction = source.direction
    if isinstance(direction, Direction):
        return replace(source, direction=Direction(direction.azimuth_deg + turn_deg, direction.elevation_deg + lift_deg))
    # A key still to be aimed turns by what it lights: near the side of a face a degree is about 0.7 % of it, and .015 on its cheek.
    away = turn_deg if sum(direction.arc_deg) > 0 else -turn_deg
    less = replace(direction, lit=direction.lit - 0.007 * away, cheek=direction.cheek - 0.015 * away)
    return replace(source, direction=replace(less, elevation_deg=direction.elevation_deg + lift_deg))


# One irrational step per axis, far from 0, 1/2 and each other: turn, lift, lamp x, lamp y, reach, halo, haze, motes.
# Their roots are of different numbers, so that no axis ever follows another.
_STEPS = (*(math.sqrt(n) % 1 for n in (7, 23, 2, 3)), (math.sqrt(5) - 1) / 2, *(math.sqrt(n) % 1 for n in (22, 6, 14)))


def _even(seed: int, axis: int, start: float = 0.0) -> float:
    """A number in (0, 1) that neighbouring seeds spread evenly: six seeds are six different pictures, never near-twins.

    An additive recurrence with an irrational step (Weyl 1916); chance alone would put two of six seeds close together.
    """
    return ((seed % 1_000_003) * _STEPS[axis] + 0.5 + start) % 1.0


def _normal(seed: int, axis: int, start: float = 0.0) -> float:
    """The same as a normal deviate, held within two sigma."""
    return NormalDist().inv_cdf(min(max(_even(seed, axis, start), 0.0228), 0.9772))

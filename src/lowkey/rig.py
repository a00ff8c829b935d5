"""A look in numbers: lights, cloth, lamp, motes, backdrop, lens and film stock.

Axes are the camera's: x to camera-right, y up, z toward the camera. Azimuth 0 is at the camera, +90 camera-right
(the viewer's right, frame-right), 180 behind the subject; elevation + is up. The key's irradiance on a surface facing it is 1.0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

RGB = tuple[float, float, float]


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
    """A direction still to be aimed at a face: choose the azimuth in `arc_deg` that lights `lit` of it."""

    lit: float
    arc_deg: tuple[float, float]
    elevation_deg: float


@dataclass(frozen=True)
class Source:
    """One lamp. `distance_hw` is infinite for a sun-like source; else inverse-square from the head's centre."""

    direction: Direction | Auto
    irradiance_rgb: RGB = (1.0, 1.0, 1.0)
    """On a surface at the head's centre that faces it."""
    angular_radius_deg: float = 2.5
    distance_hw: float = math.inf


@dataclass(frozen=True)
class Cloth:
    """What the person wears. `kind`: as-worn, turtleneck, leather, linen, bare."""

    kind: str = "as-worn"
    reflectance: float = 0.04
    """Mean luminance reflectance the cloth is brought to."""


@dataclass(frozen=True)
class Lamp:
    """The practical light seen in the frame. `place_fw_fh`: fractions of frame width and height from the top left."""

    visible: bool = True
    place_fw_fh: tuple[float, float] = (0.765, 0.19)
    radius_fh: float = 0.012
    radiance_rgb: RGB = (40.0, 30.0, 19.0)


@dataclass(frozen=True)
class Motes:
    """Dust in the beam. `per_fh2` counts motes on a square of one frame height."""

    per_fh2: float = 180.0
    brightness: float = 1.0
    clustering: float = 0.55
    """Share gathered round the lamp."""


@dataclass(frozen=True)
class Backdrop:
    """The room behind: kind plain (dust and grain only), smoke, concrete, velvet."""

    kind: str = "plain"
    reflectance: float = 0.02


@dataclass(frozen=True)
class Lens:
    """What the optics add. `flare`: none, clean, halo, anamorphic."""

    flare: str = "halo"
    halo_radius_fh: float = 0.185
    halo_gain: float = 1.0
    streak_gain: float = 0.0
    rings: int = 0
    veil: float = 0.0005
    """Share of the frame's mean energy that spreads evenly over it."""
    bloom: float = 0.10
    blades: int = 8


@dataclass(frozen=True)
class Stock:
    """A film stock. Lengths are um on a frame 36 mm high."""

    name: str = "tungsten-500"
    toe_code: int = 5
    """sRGB code that no light at all prints as."""
    shoulder_code: int = 232
    """sRGB code that a skin highlight at 90th percentile x 1.6 rolls off to."""
    contrast: float = 1.0
    grain_rms: float = 0.035
    """RMS of density at mid density."""
    grain_um: float = 12.0
    halation_um: float = 120.0
    halation_gain: float = 0.06
    monochrome: bool = False


@dataclass(frozen=True)
class Rig:
    """Everything a picture needs beside the person. Frozen; `Auto` is resolved by the darkroom and the Frame records the result."""

    key: Source
    rim: Source | None = None
    extra: tuple[Source, ...] = ()
    fill_ev: float = -7.6
    """Frontal fill against the key in scene stops; minus infinity is no fill."""
    ambient_rgb: RGB = (0.008, 0.0065, 0.005)
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

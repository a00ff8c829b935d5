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
    radiance_rgb: RGB = (300.0, 216.0, 132.0)
    """Of the disc, where lit skin is about 0.5: a lamp this small that keys a face is some nine stops brighter than it."""
    depth_fh: float = 0.95
    """How far behind the subject it stands."""


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
    vignette_ev: float = 0.35
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
    grain_rms: float = 0.014
    """RMS of the print's density at mid density through a 48 um aperture (the diffuse rms granularity of data sheets)."""
    grain_um: float = 12.0
    """Mean diameter of a grain clump."""
    grain_chroma: float = 0.35
    """Share of each layer's grain that is its own."""
    halation_um: float = 120.0
    halation_gain: float = 0.06
    halation_rgb: RGB = (1.0, 0.28, 0.04)
    saturation: float = 1.0
    balance_rgb: RGB = (1.0, 1.0, 1.0)
    """Exposure gain of the three layers."""
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

"""The Subject: the person dressed for the picture, on the plate's grid, ready for any light."""

from __future__ import annotations

from dataclasses import dataclass

from lowkey.pixels import F32


@dataclass(frozen=True)
class Subject:
    """All f32 maps [h, w(, 3)] in plate pixels; read-only. What `dress` makes and `illuminate` lights."""

    hw_px: float
    matte: F32
    """Coverage of the dressed person (a collar or a garment may reach beyond the plate's own matte)."""
    albedo: F32
    """[h, w, 3]."""
    depth: F32
    """hw, + toward the camera."""
    normal: F32
    """[h, w, 3] unit; x right, y up, z toward the camera."""
    skin: F32
    """0..1: where subsurface diffusion and the skin's specular lobes act (face, neck, hands, bare shoulders)."""
    hair: F32
    """0..1: where light is carried by strands and not by a surface."""
    cloth: F32
    """0..1: garment."""
    eyes: F32
    """0..1: wet surface between the lids."""
    roughness: F32
    """GGX alpha-root (Burley's roughness) of the surface lobe, 0..1."""
    specular: F32
    """Normal-incidence reflectance F0 (skin 0.028-0.04, leather 0.05, knit 0)."""
    sheen: F32
    """Strength of the fuzz lobe of cloth, 0..1."""
    head_px: tuple[float, float]
    """Middle of the head, x and y px: directions and distances of lamps are counted from there, at depth 0."""
    shine: float = 1.0
    """Skin's highlights against bare dry skin's: make-up for low-key leaves skin a little moist."""
    strands: F32 | None = None
    """About +1 on a strand of hair's fringe and -1 in the gap beside it, 0 elsewhere; None where none were told apart."""
    lone: F32 | None = None
    """0..1: single hairs that come out of a mass of hair and are turned so that they pass a lamp behind them on; None where none are."""
    lips: F32 | None = None
    teeth: F32 | None = None
    """0..1: lips, and what lies between them; None where nobody looked for any."""
    ears: F32 | None = None
    """0..1: ears, whose rims light from behind comes through; None where nobody looked for any."""
    eased: tuple[float, float, float] | None = None
    """What retouching took of old light off the face, 99th percentile in stops: off a half that lay in shadow, off lines and specks; and
    95th percentile of what its blotches of hue were calmed by, in stops of red or blue over green."""
    room: F32 | None = None
    """How much more of the room's light than of a lamp's reaches each pixel: flags stand before lamps, and not before a room. None: 1."""

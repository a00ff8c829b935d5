"""What was read from a photo, as one picture: matte, parts, depth, normals, albedo and the light found."""

from __future__ import annotations

import math

import cv2
import numpy as np
from PIL import Image, ImageDraw

from lowkey.pixels import F32, U8, srgb_encode
from lowkey.plate.plate import Plate
from lowkey.prints.sheet import ACCENT, DIM, INK, PAPER, sans

PANEL_W_PX = 440
GAP, TOP = 24, 54

PART_COLOURS = {
    "background": (24, 24, 28),
    "skin": (214, 158, 122),
    "hair": (110, 74, 160),
    "cloth": (64, 110, 150),
    "hands": (232, 196, 90),
    "glasses": (120, 220, 220),
    "lips": (205, 70, 84),
    "brows": (70, 46, 92),
    "teeth": (250, 250, 250),
    "eyes": (80, 190, 110),
}
"""sRGB codes; the first six share the picture out between them, the rest lie over them."""
_SHARED = ("background", "skin", "hair", "cloth", "hands", "glasses")


def reading(plate: Plate) -> U8:
    """Six panels u8[h, w, 3], each named: the photo under its matte, parts, depth, normals, albedo, the light found."""
    panels = {
        "matte": _over_grey(plate.colour, plate.matte),
        "parts": _parts(plate),
        "depth": _depth(plate),
        "normals": np.asarray((plate.normal * 0.5 + 0.5) * plate.matte[..., None], np.float32),
        "albedo": _over_grey(plate.albedo, plate.matte),
        "light found": _over_grey(plate.colour, np.ones_like(plate.matte)),
    }
    w, h = PANEL_W_PX, round(PANEL_W_PX * plate.size_px[1] / plate.size_px[0])
    page = Image.new("RGB", (3 * w + 4 * GAP, 2 * (h + TOP) + 3 * GAP), PAPER)
    draw = ImageDraw.Draw(page)
    for index, (name, picture) in enumerate(panels.items()):
        x, y = GAP + index % 3 * (w + GAP), GAP + index // 3 * (h + TOP + GAP)
        small = cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA if plate.size_px[0] > w else cv2.INTER_LINEAR)
        page.paste(Image.fromarray(np.asarray(np.round(np.clip(small, 0, 1) * 255), np.uint8)), (x, y))
        draw.text((x, y + h + 8), name, font=sans(32), fill=INK)
        if name == "light found":
            _dial(draw, plate, (x + w - 86, y + h - 86), 66)
            light = plate.found_light
            said = f"{light.azimuth_deg:+.0f} / {light.elevation_deg:+.0f} deg, {light.contrast_stops:.1f} stops"
            draw.text((x + 180, y + h + 12), said, font=sans(24), fill=DIM)
    return np.asarray(page, np.uint8)


def _over_grey(linear: F32, cover: F32) -> F32:
    """Encoded picture f32[h, w, 3] over a chequered ground, so that holes in the matte are seen."""
    h, w = cover.shape
    rows, columns = np.ogrid[:h, :w]
    size = max(w // 40, 1)
    ground = np.where((rows // size + columns // size) % 2, 0.20, 0.26).astype(np.float32)[..., None]
    return np.asarray(srgb_encode(linear) * cover[..., None] + ground * (1 - cover[..., None]), np.float32)


def _parts(plate: Plate) -> F32:
    out = np.zeros((*plate.matte.shape, 3), np.float32)
    for name, colour in PART_COLOURS.items():
        share = plate.parts[name][..., None]
        tone = np.asarray(colour, np.float32) / 255
        out = out + share * tone if name in _SHARED else out * (1 - share) + share * tone
    return np.clip(out, 0, 1)


def _depth(plate: Plate) -> F32:
    """Near is bright; a contour every tenth of a head-width."""
    seen = plate.matte > 0.5
    if not seen.any():
        return np.zeros((*plate.matte.shape, 3), np.float32)
    low, high = np.percentile(plate.depth[seen], [2, 99.5])
    tone = np.clip((plate.depth - low) / max(high - low, 1e-6), 0, 1)
    contour = np.abs(plate.depth * 10 - np.round(plate.depth * 10)) < 0.06
    grey = np.where(contour, tone * 0.6, tone * 0.9 + 0.1) * seen
    return np.repeat(np.asarray(grey, np.float32)[..., None], 3, 2)


def _dial(draw: ImageDraw.ImageDraw, plate: Plate, centre: tuple[int, int], radius: int) -> None:
    """Where the light in the photo comes from: a dot on the half-sphere before the face, its middle the camera."""
    x, y = centre
    light = plate.found_light
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(20, 19, 18), outline=DIM, width=2)
    azimuth, elevation = math.radians(light.azimuth_deg), math.radians(light.elevation_deg)
    dx, dy = math.sin(azimuth) * math.cos(elevation), -math.sin(elevation)
    size = 9 if light.hard else 15
    at = (x + dx * (radius - size), y + dy * (radius - size))
    box = (at[0] - size, at[1] - size, at[0] + size, at[1] + size)
    behind = math.cos(azimuth) * math.cos(elevation) < 0
    draw.ellipse(box, fill=None if behind else ACCENT, outline=ACCENT, width=3)

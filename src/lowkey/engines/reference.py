"""What a model is shown of a person, and what is kept of its answer: crops that never stretch a face.

The reference is resampled from the photo's own pixels, so it carries no metadata, and it ends where the photo ends: a model
that is shown an invented border copies it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lowkey import rig as rigs
from lowkey.darkroom import compose
from lowkey.engines.contract import Sitting
from lowkey.frame import Framing, Placement, Shot
from lowkey.photo import Photo
from lowkey.pixels import F32, U8, U16, freeze, srgb_decode, srgb_encode
from lowkey.plate.plate import Plate

HEAD_ROOM = 1.08
"""The head with its hair, and this much of it, stays in the reference whatever the aspect."""


@dataclass(frozen=True)
class Reference:
    """A picture for a model, in sRGB codes, read-only."""

    pixels: U8
    """u8[h, w, 3]."""
    placement: Placement
    """Photo pixels to the pixels of this picture."""
    beyond: float
    """Share of it that lies beyond the photo, where the photo's border is repeated: 0 unless the photo is cut at the head."""

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self.pixels.shape[1], self.pixels.shape[0]


def prepared(sitting: Sitting, shot: Shot, size_px: tuple[int, int]) -> Reference:
    """The photo as a reference of exactly ``(width, height)``, framed as the shot's frame will be.

    The size's own aspect counts, not the framing's: a model that knows few sizes is shown one of those. The framing's crop is
    moved, then tightened, until it lies within the photo; where that would cut the head, the photo's border is repeated and
    `beyond` says how much.
    """
    photo = sitting.photo
    wished = _wished(sitting, shot, size_px)
    place = _within(photo, wished, size_px, _head(sitting.plate) if not shot.framing.source else None)
    return Reference(_codes8(_resampled(photo, place, size_px)), place, _beyond(photo, place, size_px))


def faced(shot: Shot) -> Framing:
    """The shot's framing as the darkroom lays it: in the mirror where the light comes from the left."""
    framing = shot.framing
    if framing.source or rigs.leans(rigs.of(shot.look, shot.remedies)) >= 0:
        return framing
    x, y = framing.head_centre
    return replace(framing, head_centre=(1 - x, y))


def guide8(guide: U16, size_px: tuple[int, int]) -> U8:
    """The darkroom's frame u16[h, w, 3] as a second reference u8 of exactly ``(width, height)``, cropped about its centre."""
    return _codes8(np.asarray(fitted(guide, size_px), np.float32) / np.float32(65535))


def fitted(picture: U8 | U16, size_px: tuple[int, int]) -> U16:
    """A picture u8 or u16 [h, w, 3] brought to exactly ``(width, height)`` as u16: cropped about its centre, never stretched."""
    h, w = picture.shape[:2]
    most = np.iinfo(picture.dtype).max
    if (w, h) == size_px:
        return freeze(np.asarray(picture, np.uint16) * np.uint16(65535 // most))
    scale = max(size_px[0] / w, size_px[1] / h)
    codes = np.asarray(picture, np.float32) / np.float32(most)
    place = Placement(scale, (size_px[0] - 1) / 2 - scale * (w - 1) / 2, (size_px[1] - 1) / 2 - scale * (h - 1) / 2)
    # Smaller is averaged in linear light, larger is drawn in codes, where the bicubic's overshoot is even (as plates are).
    if scale < 1:
        made = srgb_encode(np.clip(place.warp(srgb_decode(codes), size_px), 0, 1))
    else:
        made = np.clip(place.warp(codes, size_px), 0, 1)
    return freeze(np.asarray(np.round(made * 65535), np.uint16))


def brought(came_px: tuple[int, int], size_px: tuple[int, int]) -> str:
    """In words, what `fitted` does to a picture that came with one size and leaves with another."""
    if came_px == size_px:
        return "as it came"
    scale = max(size_px[0] / came_px[0], size_px[1] / came_px[1])
    kept = size_px[0] * size_px[1] / (scale * scale * came_px[0] * came_px[1])
    cropped = f"cropped by {100 * (1 - kept):.1f} %" if kept < 0.9995 else ""
    sized = f"enlarged {scale:.2f} times" if scale > 1.001 else f"made smaller, {scale:.2f} times" if scale < 0.999 else ""
    return " and ".join(part for part in (cropped, sized) if part) or "as it came"


def asked_size(size_px: tuple[int, int], *, grid: int, most_px: int, least_side_px: int = 64) -> tuple[int, int]:
    """The size to ask a service for: on its grid, at most `most_px` pixels, as near to the frame's size and aspect as they allow.

    Where the frame fits, each side is rounded up, so that only a rim is cropped away and nothing is enlarged.
    """
    w, h = size_px
    scale = min((most_px / (w * h)) ** 0.5, 1.0)
    scale = max(scale, least_side_px / min(w, h))
    up = (-(-w // grid) * grid, -(-h // grid) * grid)
    if scale == 1.0 and up[0] * up[1] <= most_px:
        return up
    # Otherwise the pair on the grid whose aspect is nearest, among those not smaller than nine tenths of what is allowed.
    best = (max(int(w * scale) // grid, 1) * grid, max(int(h * scale) // grid, 1) * grid)
    for across in range(max(int(0.9 * w * scale) // grid, 1), int(w * scale) // grid + 2):
        for tall in {int(across * h / w), int(across * h / w) + 1}:
            one = (across * grid, tall * grid)
            fits = tall >= 1 and one[0] * one[1] <= most_px and min(one) >= least_side_px
            if fits and _badness(one, size_px) < _badness(best, size_px) - 1e-9:
                best = one
    return best


def _badness(one: tuple[int, int], wanted: tuple[int, int]) -> float:
    """How far apart two aspects are, plus a little for every pixel fewer."""
    aspect = abs(np.log(one[0] * wanted[1] / (one[1] * wanted[0])))
    return float(aspect + 0.02 * max(np.log(wanted[0] * wanted[1] / (one[0] * one[1])), 0))


def nearest_aspect(size_px: tuple[int, int], aspects: tuple[str, ...]) -> str:
    """Of aspects such as "4:5", the one nearest to a size: the first of equals."""
    wanted = np.log(size_px[0] / size_px[1])

    def away(aspect: str) -> float:
        across, tall = (int(part) for part in aspect.split(":"))
        return float(abs(np.log(across / tall) - wanted))

    return min(aspects, key=away)


# --- the crop ----------------------------------------------------------------------------------------------------------------


def _wished(sitting: Sitting, shot: Shot, size_px: tuple[int, int]) -> Placement:
    """Photo pixels to reference pixels, as the framing wishes it."""
    if shot.framing.source:
        w, h = sitting.photo.size_px
        scale = max(size_px[0] / w, size_px[1] / h)
        return Placement(scale, (size_px[0] - 1 - scale * (w - 1)) / 2, (size_px[1] - 1 - scale * (h - 1)) / 2)
    return compose.place(sitting.plate, faced(shot), size_px) @ sitting.plate.window


def _head(plate: Plate) -> tuple[float, float, float, float]:
    """The head with its hair in photo pixels, as far as the photo shows it: x0, y0, x1, y1."""
    head = compose.head_of(plate)
    bottom = head.y_px + head.height_px / 2
    # Hair counts; shoulders, which the columns of `head_of` may reach, do not: a head is at most as wide as tall with hair.
    half = min(max(head.x_px - head.left_px, head.right_px - head.x_px), 0.5 * (bottom - head.top_px))
    spare = (HEAD_ROOM - 1) * (bottom - head.top_px) / 2
    box = np.array([[head.x_px - half - spare, head.top_px - spare], [head.x_px + half + spare, bottom + spare]], np.float32)
    (x0, y0), (x1, y1) = plate.window.inverse().points(box)
    w, h = plate.photo.size_px
    return max(float(x0), -0.5), max(float(y0), -0.5), min(float(x1), w - 0.5), min(float(y1), h - 0.5)


def _within(
    photo: Photo, wished: Placement, size_px: tuple[int, int], head: tuple[float, float, float, float] | None
) -> Placement:
    """The wished crop moved and tightened into the photo, but never so tight that it cuts the head."""
    pw, ph = photo.size_px
    w, h = size_px
    scale = max(wished.scale, w / pw, h / ph)
    # Where the head would no longer fit, its own size decides, and the crop reaches beyond the photo.
    if head is not None:
        scale = min(scale, w / (head[2] - head[0]), h / (head[3] - head[1]))
    across, tall = w / scale, h / scale
    back = wished.inverse()
    centre = back.scale * (w - 1) / 2 + back.tx, back.scale * (h - 1) / 2 + back.ty
    if scale > wished.scale and head is not None:
        # Tightened about the head, which keeps its place in the frame, not about the frame's middle.
        hx, hy = (head[0] + head[2]) / 2, (head[1] + head[3]) / 2
        centre = hx + (centre[0] - hx) * wished.scale / scale, hy + (centre[1] - hy) * wished.scale / scale
    x, y = _held(centre[0], across, (-0.5, pw - 0.5)), _held(centre[1], tall, (-0.5, ph - 0.5))
    if head is not None:
        x, y = _showing(x, across, (head[0], head[2])), _showing(y, tall, (head[1], head[3]))
    return Placement(scale, (w - 1) / 2 - scale * x, (h - 1) / 2 - scale * y)


def _held(centre: float, length: float, within: tuple[float, float]) -> float:
    """The centre of a stretch of this length, moved into another; to the middle of that one where it is the shorter."""
    low, high = within[0] + length / 2, within[1] - length / 2
    return (within[0] + within[1]) / 2 if low > high else min(max(centre, low), high)


def _showing(centre: float, length: float, shown: tuple[float, float]) -> float:
    """The centre of a stretch of this length, moved until it shows all of another, if it can."""
    low, high = shown[1] - length / 2, shown[0] + length / 2
    return centre if low > high else min(max(centre, low), high)


def _beyond(photo: Photo, place: Placement, size_px: tuple[int, int]) -> float:
    back = place.inverse()
    inside = 1.0
    for offset, length, most in ((back.tx, size_px[0], photo.size_px[0]), (back.ty, size_px[1], photo.size_px[1])):
        first, last = offset - back.scale / 2, offset + back.scale * (length - 0.5)
        inside *= max(min(last, most - 0.5) - max(first, -0.5), 0.0) / (last - first)
    return round(max(1 - inside, 0.0), 4)


def _resampled(photo: Photo, place: Placement, size_px: tuple[int, int]) -> F32:
    """sRGB codes f32[h, w, 3] 0..1 of the photo in the crop."""
    back = place.inverse()
    w, h = photo.size_px
    margin = int(np.ceil(4 * max(back.scale, 1)))
    x0, y0 = max(int(back.tx) - margin, 0), max(int(back.ty) - margin, 0)
    x1 = min(int(np.ceil(back.scale * size_px[0] + back.tx)) + margin, w)
    y1 = min(int(np.ceil(back.scale * size_px[1] + back.ty)) + margin, h)
    placed = place @ Placement(1.0, x0, y0)
    if place.scale < 1:
        return srgb_encode(np.clip(placed.warp(photo.linear((x0, y0, x1, y1)), size_px), 0, 1))
    part = photo.pixels[y0:y1, x0:x1]
    return np.clip(placed.warp(part.astype(np.float32) / np.float32(np.iinfo(part.dtype).max), size_px), 0, 1).astype(np.float32)


def _codes8(codes: F32) -> U8:
    return freeze(np.asarray(np.round(codes * 255), np.uint8))

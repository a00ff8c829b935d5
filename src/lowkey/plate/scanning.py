"""scan: one photo in, one Plate out."""

from __future__ import annotations

from importlib.metadata import version

import cv2
import numpy as np

from lowkey.frame import Placement
from lowkey.photo import Photo
from lowkey.pixels import F32, U8, freeze, srgb_encode
from lowkey.plate import albedo, balance, faces, fitness, landmarks, matte, outline, parts, relief, shading, window
from lowkey.plate.opinions import Panel
from lowkey.plate.plate import Caution, Plate
from lowkey.together import both

GUESS_PX = 800
LEAST_ROOM_HW = 0.1
CUT_CROWN_HW = 0.1
"""Width of the person along the photo's upper edge from which the head is held to be cut."""


def scan(photo: Photo, face: int | None = None) -> Plate:
    """Read a photo once: who, where, of what shape and colour, in what light."""
    found = faces.find(photo)
    chosen = faces.choose(photo, found, face)
    cautions = [*fitness.examine(photo, chosen), *_others(found, chosen)]
    gains, developed = balance.read(photo, chosen, coloured=all(c.code != "no-colour" for c in cautions))
    photo, cautions = balance.developed(photo, gains), [*cautions, *developed]
    panel = Panel()
    guess, at = _guess(photo, chosen, found, panel)
    opened = window.open_on(chosen.points, photo.size_px, guess, at)
    points = _placed(chosen.points, opened.placement)
    inside = opened.inside(photo)
    seen = window.colour(photo, opened)
    colour, mask = _person(photo, opened, seen, guess, at, chosen.points)
    named, confidence = parts.part(colour, mask, points, opened.hw_px, inside)
    view = _view(seen, panel)
    named = panel.parts(view, named, inside)
    mask, colour, named = outline.settle(mask, colour, seen, named, points, opened.hw_px, opened.placement.scale)
    depth, normal = relief.carve(points, mask, named, opened.hw_px, colour)
    normal = panel.normals(view, normal, named["skin"] * inside)
    normal = shading.tilt(normal, colour, named, mask, inside, opened.hw_px, points)
    bare, light = albedo.delight(colour, normal, depth, named, mask, opened.hw_px, points)
    cautions += panel.cautions
    cautions += _tight(photo, opened, chosen.points, mask, inside, cautions)
    cautions += fitness.remark(points, named, light, confidence, opened.hw_px)
    return Plate(
        photo=photo,
        window=opened.placement,
        hw_px=opened.hw_px,
        landmarks=freeze(points),
        pose=landmarks.pose(points),
        inside=freeze(inside),
        colour=freeze(colour),
        matte=freeze(mask),
        parts={name: freeze(part) for name, part in named.items()},
        depth=freeze(depth),
        normal=freeze(normal),
        albedo=freeze(bare),
        found_light=light,
        confidence=confidence,
        warnings=tuple(cautions),
        read_by={**_readers(), **panel.used},
        developed=gains,
    )


def _others(found: tuple[faces.Face, ...], chosen: faces.Face) -> list[Caution]:
    if len(found) < 2:
        return []
    rest = "another face is" if len(found) == 2 else f"{len(found) - 1} other faces are"
    return [Caution("other-faces", f"{rest} in the photo: face {chosen.number} from the left was taken; --face takes another")]


def _tight(photo: Photo, opened: window.Window, points: F32, mask: F32, inside: F32, said: list[Caution]) -> list[Caution]:
    """The photo cuts the head or leaves no room round it."""
    x, y, height = window.head(points)
    hw = landmarks.width(points)
    w, h = photo.size_px
    room = min(y - height / 2, x - 0.6 * hw, w - 1 - x - 0.6 * hw, h - 1 - y - height / 2) / hw
    if any(c.code == "cropped-tight" for c in said):
        return []
    top = int(np.argmax(inside.max(1) > 0.5))
    cut = float((mask[top : top + 3].mean(0) > 0.5).sum())
    # Over a helmet the matte is no judge of crowns.
    if cut > CUT_CROWN_HW * opened.hw_px and not any(c.code == "face-covered" for c in said):
        text = "the photo cuts the head above: so does the frame, plainly; leave room over hair or hat"
        return [Caution("cropped-tight", text)]
    if room >= LEAST_ROOM_HW:
        return []
    text = "the photo is cropped tight round the head: where it cuts hair the frame is tightened too; leave room for hair and shoulders"
    return [Caution("cropped-tight", text)]


def _readers() -> dict[str, str]:
    """Names and versions of what read the photo."""
    return {name: version(name) for name in ("lowkey", "mediapipe", "opencv-python-headless", "numpy")}


def _placed(points: F32, placement: Placement) -> F32:
    """Landmarks of the photo in plate pixels."""
    return np.concatenate([placement.points(points[:, :2]), points[:, 2:] * np.float32(placement.scale)], 1).astype(np.float32)


def _person(
    photo: Photo, opened: window.Window, seen: F32, guess: F32, at: tuple[int, int, int, int], points: F32
) -> tuple[F32, F32]:
    """The person's own colour f32[h, w, 3] and matte f32[h, w] on the plate, solved where the photo has pixels of its own.

    `seen` f32[h, w, 3] is the photo in the window as it is.
    """
    native = opened.native()
    if native is not opened:
        seen = window.colour(photo, native)
    filled = native.inner(photo)
    rows, cols = filled
    placed = _placed(points, native.placement) - np.array([cols.start, rows.start, 0], np.float32)
    rough = _on_plate(guess, at, native)
    alpha, own = np.zeros_like(rough), seen.copy()
    alpha[filled], own[filled] = matte.read(np.ascontiguousarray(seen[filled]), np.ascontiguousarray(rough[filled]), native.hw_px, placed)
    if native is not opened:
        alpha, own = both(lambda: window.enlarge(alpha, native, opened), lambda: window.enlarge(own, native, opened))
    return window.go_on(own, alpha, opened.inner(photo), opened.hw_px)


def _view(seen: F32, panel: Panel) -> U8:
    """The photo in the window as a reader wants it, u8[h, w, 3] sRGB; nothing where no reader would look at it."""
    if not panel.asked:
        return np.zeros((1, 1, 3), np.uint8)
    return np.asarray(np.round(srgb_encode(seen) * np.float32(255)), np.uint8)


def _guess(photo: Photo, chosen: faces.Face, found: tuple[faces.Face, ...], panel: Panel) -> tuple[F32, tuple[int, int, int, int]]:
    """The first guess at the person within the largest window, and which photo pixels it covers."""
    w, h = photo.size_px
    x0, y0, x1, y1 = window.reach(chosen.points)
    at = max(int(x0), 0), max(int(y0), 0), min(int(np.ceil(x1)), w), min(int(np.ceil(y1)), h)
    crop = window.shrink(faces.codes(photo)[at[1] : at[3], at[0] : at[2]], GUESS_PX)
    scale = crop.shape[1] / (at[2] - at[0])
    shift = np.array([at[0], at[1]], np.float32)
    persons = [(f.points[:468, :2] - shift) * np.float32(scale) for f in (chosen, *(f for f in found if f is not chosen))]
    guess = matte.coarse(crop, persons[0], persons[1:])
    return panel.matte(np.asarray(crop, np.uint8), guess, alone=len(found) == 1), at


def _on_plate(guess: F32, at: tuple[int, int, int, int], opened: window.Window) -> F32:
    """A guess over photo pixels `at` brought to the plate's grid, its border repeated."""
    kx, ky = (at[2] - at[0]) / guess.shape[1], (at[3] - at[1]) / guess.shape[0]
    p = opened.placement
    m = np.array([[p.scale * kx, 0, p.scale * (at[0] + kx / 2 - 0.5) + p.tx], [0, p.scale * ky, p.scale * (at[1] + ky / 2 - 0.5) + p.ty]])
    return np.asarray(cv2.warpAffine(guess, m, opened.size_px, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)

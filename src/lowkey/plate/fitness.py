"""Is this photo fit for a plate? What refuses, what only warns.

Numbers come from about 150 public portraits and a few things that are none; they refuse where two readings agree that there is
no face to light, and warn where only one does: a false refusal costs a photographer a sitting, a caution costs a glance.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from lowkey.errors import PhotoError
from lowkey.photo import Photo
from lowkey.pixels import F32, U8
from lowkey.plate import faces, landmarks
from lowkey.plate.faces import Face
from lowkey.plate.plate import Caution, FoundLight

SMALL_HW_PX = 250.0
HIDDEN_WOBBLE = 0.05
"""A mesh that moves more than this with its crop is guessing (a camera held before the face: .35; the worst open face: .007)."""
CUT_SHARE = 0.06
FLAT_DRAWN, FLAT_DOUBTFUL = 0.35, 0.22
HOG_SURE = 0.3
FOREIGN_AB = 15.0
"""How much further (CIELAB a*b* distance) mouth, chin and jaw lie from the cheeks than the forehead does, when all are covered."""
ONE_HUE_AB = 0.7
"""Spread of a face's colours (CIELAB a*b*) off one hue under which it has none of its own (28 portraits 1.9 to 13, in sepia .2)."""
FULL_CODE, BURNT_SHARE = 252, 0.3
"""Code from which a channel is full, and the share of a face with two such channels that is told (28 portraits .000 to .001, and a high-key
one, whose frames still hold, .21)."""

UNSURE_PARTS = 0.5
COOLER, WARMER = -170.0, 80.0
"""Warmth of the lit side against the shadow side (mired) beyond which two lights of different colour fell on the face. One light leaves
shadow skin redder: -110 to +23 on twelve portraits, middle -40. Daylight and a room lamp stand 200 apart."""
SURE_LIGHT = 0.5
"""Confidence of the fitted light from which its two sides are believed."""
LEAST_GLASSES = 0.01
"""Area of the part `glasses` in square head-widths that counts as wearing some (thin frames .02 and more)."""
_CHEEKS = (50, 280, 117, 346, 118, 347, 101, 330, 36, 266)
_FOREHEAD = (9, 107, 336, 108, 337, 151)
_LOWER = ((175, 199, 200, 18, 171, 396, 208, 428, 32, 262), (164, 165, 391, 92, 322), (214, 434, 192, 416, 135, 364, 210, 430))
_FEATURES = (33, 133, 263, 362, 1, 2, 61, 291, 13, 14)


def examine(photo: Photo, face: Face) -> tuple[Caution, ...]:
    """Cautions about the chosen face; a PhotoError where it cannot make a portrait."""
    picture = faces.codes(photo)
    size = _size(photo, face)
    cut = _cut(photo, face)
    turned = _turned(photo, face)
    if face.wobble > HIDDEN_WOBBLE:
        raise PhotoError("face-hidden", f"the face in {photo.stem} is covered or no face at all: eyes, nose and mouth must be visible")
    drawn = _drawn(photo, picture, face)
    covered = () if turned else _covered(picture, face)
    return (*size, *cut, *turned, *drawn, *covered, *_exposed(picture, face))


def _size(photo: Photo, face: Face) -> tuple[Caution, ...]:
    hw = face.hw_px
    if hw < faces.LEAST_HW_PX:
        least = f"at least {faces.LEAST_HW_PX:.0f} are needed, and {SMALL_HW_PX:.0f} for a print"
        raise PhotoError("face-too-small", f"the face in {photo.stem} is {hw:.0f} pixels wide; {least}")
    if hw < SMALL_HW_PX:
        return (Caution("small-face", f"the face is {hw:.0f} pixels wide: under {SMALL_HW_PX:.0f} the result is soft, fit for the screen"),)
    return ()


def _cut(photo: Photo, face: Face) -> tuple[Caution, ...]:
    """A face that the frame cuts: refused when a feature or a good part of the mesh lies outside."""
    w, h = photo.size_px
    xy = face.points[:468, :2]
    outside = np.max([-xy[:, 0], xy[:, 0] - (w - 1), -xy[:, 1], xy[:, 1] - (h - 1)], axis=0) > 0.01 * face.hw_px
    if outside.mean() > CUT_SHARE or outside[list(_FEATURES)].any():
        share = f"{outside.mean():.0%} of it lies outside"
        raise PhotoError("half-face", f"the frame cuts the face in {photo.stem}: {share}; use a photo with all of it")
    if outside.any():
        return (Caution("cropped-tight", "the frame touches the face: leave room round the head"),)
    return ()


def _turned(photo: Photo, face: Face) -> tuple[Caution, ...]:
    """A face turned away: the far eye's outer corner passes behind the nose tip, and the mesh begins to guess."""
    p = face.points[:, :2]
    down = p[landmarks.CHIN] - p[landmarks.CROWN]
    aside = np.array([down[1], -down[0]]) / np.linalg.norm(down)
    beyond = min(float((p[1] - p[33]) @ aside), float((p[263] - p[1]) @ aside)) / face.hw_px
    if beyond > -0.03:
        return ()
    if face.wobble / 0.01 - beyond / 0.1 > 2:
        raise PhotoError("profile", f"the face in {photo.stem} is turned so far that the far eye is gone; both eyes must be visible")
    return (Caution("profile", "the face is turned far to the side: the far half is guessed and may light wrongly"),)


def _drawn(photo: Photo, picture: U8, face: Face) -> tuple[Caution, ...]:
    """A drawing has flat areas where skin has none: share of 3x3 neighbourhoods without any contrast, at 160 pixels head-width."""
    crop, points = _cropped(picture, face, 160)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    asked = (cv2.erode(_hull(crop, points), np.ones((5, 5), np.uint8)) > 0) & (crop.max(2) < 250) & (grey > 12)
    if asked.sum() < 500:
        return ()
    # A dark photo's steps are as small as its light: bring the face to one brightness first.
    grey *= 180 / max(float(np.percentile(grey[asked], 90)), 1)
    span = cv2.dilate(grey, np.ones((3, 3))) - cv2.erode(grey, np.ones((3, 3)))
    flat = float((span[asked] <= 1.01).mean())
    if flat > FLAT_DRAWN:
        share = f"{flat:.0%} of it is perfectly flat"
        raise PhotoError("not-a-person", f"the face in {photo.stem} looks drawn ({share}): use a photo of a person")
    if flat > FLAT_DOUBTFUL:
        return (Caution("maybe-drawn", f"{flat:.0%} of the face has no texture at all: is this a photo? Skin will look like wax"),)
    return ()


def _covered(picture: U8, face: Face) -> tuple[Caution, ...]:
    """A helmet or mask: the lower face is not the cheeks' colour, and dlib's frontal detector is not convinced."""
    pose = landmarks.pose(face.points)
    if abs(pose.yaw_deg) > 30 or abs(pose.pitch_deg) > 25 or abs(pose.roll_deg) > 30:
        return ()
    crop, points = _cropped(picture, face, 115)
    lab = np.asarray(cv2.cvtColor(crop.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB), np.float32)[..., 1:]
    cheeks = _median(lab, points, _CHEEKS)
    forehead = float(np.linalg.norm(_median(lab, points, _FOREHEAD) - cheeks))
    lower = min(float(np.linalg.norm(_median(lab, points, part) - cheeks)) for part in _LOWER)
    if lower - forehead <= FOREIGN_AB or _hog(crop) >= HOG_SURE:
        return ()
    text = "mouth and chin look covered (helmet, mask, visor): what covers them will be lit as if it were skin"
    return (Caution("face-covered", text),)


def _exposed(picture: U8, face: Face) -> tuple[Caution, ...]:
    """Black and white, toned or not: the face has one hue from lips to forehead, where blood gives every face two and more. Burnt: two
    of the three channels are full."""
    crop, points = _cropped(picture, face, 115)
    shown = _hull(crop, points) > 0
    said = []
    hue = cv2.cvtColor(crop.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)[shown][:, 1:].astype(np.float64)
    if float(np.linalg.eigvalsh(hue.T @ hue / max(len(hue), 1))[0]) < ONE_HUE_AB**2:
        text = "the photo is black and white: the darkroom prints it so, in one warm tone; --stock pan-400 prints it in greys"
        said.append(Caution("no-colour", text))
    burnt = float((np.median(crop[shown], axis=1) >= FULL_CODE).mean())
    if burnt > BURNT_SHARE:
        text = f"{burnt:.0%} of the face is burnt out in the photo: no light brings skin back there; use one exposed a stop less"
        said.append(Caution("burnt-out", text))
    return tuple(said)


def _hull(crop: U8, points: F32) -> U8:
    """1 within the convex hull of the mesh, u8[h, w]."""
    hull = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points[:468, :2].astype(np.int32)), 1)
    return hull


def _hog(crop: U8) -> float:
    """The score of dlib's frontal face detector (Dalal & Triggs 2005) on a crop round one face; -9 when it sees nothing at all.

    It takes most of a second to load, so it is asked only where another reading already doubts.
    """
    import dlib

    _, scores, _ = dlib.get_frontal_face_detector().run(np.ascontiguousarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)), 0, -1.5)
    return max((float(s) for s in scores), default=-9.0)


def _cropped(picture: U8, face: Face, hw_px: float) -> tuple[U8, F32]:
    """A square of 2.6 head-widths round the face at `hw_px` head-width, and the landmarks on it."""
    k = hw_px / face.hw_px
    low, high = face.points[:468, :2].min(0), face.points[:468, :2].max(0)
    middle, side = (low + high) / 2, round(2.6 * hw_px)
    crop, shift = landmarks.square(picture, (float(middle[0]), float(middle[1])), side / k, side)
    points = face.points * np.float32(k)
    points[:, :2] += np.array(shift, np.float32)
    return crop, points


def _median(lab: F32, points: F32, at: tuple[int, ...]) -> F32:
    h, w = lab.shape[:2]
    patches = []
    for i in at:
        x, y = round(float(points[i, 0])), round(float(points[i, 1]))
        patches.append(np.median(lab[max(y - 2, 0) : min(y + 3, h), max(x - 2, 0) : min(x + 3, w)].reshape(-1, 2), axis=0))
    return np.asarray(np.median(np.stack(patches), axis=0), np.float32)


def remark(points: F32, parts: Mapping[str, F32], light: FoundLight, confidence: float, hw_px: float) -> tuple[Caution, ...]:
    """Cautions about what was read: `points`, `parts` and `hw_px` are the plate's."""
    said = [_mouth(points), _hard_light(light), _mixed_light(light), _glasses(parts, hw_px)]
    if confidence < UNSURE_PARTS:
        text = f"hair, skin and cloth were told apart with doubt (confidence {confidence:.2f}): look at the frames' borders"
        said.append(Caution("low-confidence", text))
    return tuple(c for c in said if c)


def _mouth(points: F32) -> Caution | None:
    """Parted lips and a drawn-wide mouth, in head-widths measured in space."""
    p = points.astype(np.float64)
    hw = landmarks.width(points)
    up = p[landmarks.CROWN] - p[landmarks.CHIN]
    gap = float(np.linalg.norm(p[13] - p[14])) / hw
    wide = float(np.linalg.norm(p[61] - p[291])) / hw
    lift = float(((p[61] + p[291]) / 2 - (p[13] + p[14]) / 2) @ up / np.linalg.norm(up)) / hw
    if lift > 0.03 or (wide > 0.45 and lift > 0.018):
        return Caution("smile", "a smile: light from the side turns it into menace; the look wants a closed, quiet mouth")
    if gap > 0.04:
        return Caution("open-mouth", "the mouth is open: light from the side turns it into menace; the look wants closed lips")
    return None


def _hard_light(light: FoundLight) -> Caution | None:
    if not light.hard:
        return None
    if abs(light.azimuth_deg) < 15:
        text = "the photo has hard light from the front, and its shadows stay in the skin: a flat, soft light serves better"
        return Caution("hard-light", text)
    side = "right" if light.azimuth_deg > 0 else "left"
    seen = f"the photo has hard light from frame-{side}, {light.contrast_stops:.1f} stops"
    text = f"{seen}: key from that side (rear-{side} or hard side-{side})"
    return Caution("hard-light", text)


def _mixed_light(light: FoundLight) -> Caution | None:
    """Two lights of different colour: the fit divides brightness only, so each side keeps the colour of its own."""
    if light.confidence < SURE_LIGHT or COOLER <= light.warm_mired <= WARMER:
        return None
    other = "warmer" if light.warm_mired > 0 else "cooler"
    seen = f"two lights of different colour in the photo: the lit side is {other} by about {abs(light.warm_mired):.0f} mired"
    return Caution("mixed-light", f"{seen}, and that stays in the skin: one light, or two of one colour, serve better")


def _glasses(parts: Mapping[str, F32], hw_px: float) -> Caution | None:
    """Enough of the part `glasses` round the eyes."""
    worn = float(parts["glasses"].sum()) / hw_px**2
    if worn < LEAST_GLASSES:
        return None
    return Caution("glasses", "glasses: their frame is lit as a flat thing and old reflections stay in the lenses; without them is safer")

"""Finding the face in the dark.

A frame of the darkroom carries its placement. Of any other frame the face is read in the picture itself, then in copies lifted
out of the shadow; where no reader sees one, the eyes that a person pointed at carry the reference's landmarks over, or the lit
contour does. The same size and framing as the reference is the last thing that is assumed, and said. Else there is no face to
measure, and measures of the face cannot be judged.
"""

from __future__ import annotations

import cv2
import numpy as np

from lowkey.frame import Placement
from lowkey.meter import contour
from lowkey.meter import sight as sights
from lowkey.meter.sight import Head, Sight
from lowkey.photo import Photo
from lowkey.pixels import F32, U8
from lowkey.plate import faces, landmarks, meshes
from lowkey.plate.plate import Plate

Eyes = tuple[float, float, float, float]
"""x, y of the eye at the viewer's left, then x, y of the other, in picture pixels."""
LONGEST_PX = 1400
LEAST_WOBBLE = 0.05
"""A mesh that moves more than this, in head-widths, when its crop moves, lies on no face."""
OWN_SLACK_DEG, LIFTED_SLACK_DEG, EYES_SLACK_DEG, SAME_SLACK_DEG = 3.0, 5.0, 8.0, 8.0
HEAD_RADIUS_HW = 0.5
"""What a face lies off by, over this, is the turn of its normals."""
LEAST_MATCH, BETTER_BY, ASIDE_HW = 0.2, 0.03, 0.15
"""Agreement of edges from which the reference may be said to lie on the frame, and by how much it must beat every place around."""


def find(sight: Sight, plate: Plate | None, placement: Placement | None, eyes: Eyes | None) -> Head | str:
    """The head, or why there is none."""
    if plate is not None and placement is not None:
        return sights.by_plate(sight, plate, placement, "placement", 0.0)
    if eyes is not None:
        return _by_eyes(sight, plate, eyes)
    for copy, name, slack in _copies(sight):
        if (points := _mesh(copy)) is not None:
            return sights.by_mesh(sight, points, name, slack)
    if plate is None:
        return "no face was found, not even in copies lifted out of the shadow; give the reference, or the eyes"
    lit = contour.find(sight, plate)
    if lit is not None and not lit.doubt:
        return sights.by_plate(sight, plate, lit.placement, "the lit contour", contour_slack_deg(lit))
    to_photo = _same_framing(sight, plate)
    if to_photo is None:
        why = lit.doubt if lit is not None else "the frame shows nothing of the person's outline"
        return f"no face was found in the dark, {why}, and it is not framed as the reference is; give the eyes"
    return sights.by_plate(sight, plate, to_photo, "the same framing", SAME_SLACK_DEG)


def contour_slack_deg(lit: contour.Contour) -> float:
    """What a face that lies off by so much adds to the direction's error."""
    return float(np.hypot(OWN_SLACK_DEG, np.degrees(lit.sigma_hw / HEAD_RADIUS_HW)))


def _copies(sight: Sight) -> list[tuple[U8, str, float]]:
    """The picture as it is, and lifted: by a power, and with its contrast evened out tile by tile (CLAHE, Zuiderveld 1994)."""
    picture = sight.codes8
    table = np.round(255 * (np.arange(256) / 255) ** 0.45).astype(np.uint8)
    lifted = np.asarray(table[picture], np.uint8)
    lab = cv2.cvtColor(lifted, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(3.0, (8, 8)).apply(lab[..., 0])
    evened = np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)
    return [
        (picture, "its own face", OWN_SLACK_DEG),
        (lifted, "a lifted copy", LIFTED_SLACK_DEG),
        (evened, "a lifted copy", LIFTED_SLACK_DEG),
    ]


def _mesh(picture: U8) -> F32 | None:
    """Landmarks of the largest face, in picture pixels."""
    k = min(1.0, LONGEST_PX / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=k, fy=k, interpolation=cv2.INTER_AREA) if k < 1 else picture
    found = [face for face in faces.find(Photo(np.ascontiguousarray(small), "")) if face.wobble <= LEAST_WOBBLE]
    if not found:
        return None
    points = max(found, key=lambda face: face.hw_px).points.astype(np.float32).copy()
    ky, kx = small.shape[0] / picture.shape[0], small.shape[1] / picture.shape[1]
    points[:, 0] = (points[:, 0] + 0.5) / kx - 0.5
    points[:, 1] = (points[:, 1] + 0.5) / ky - 0.5
    points[:, 2] /= np.float32(kx)
    return points


def _by_eyes(sight: Sight, plate: Plate | None, eyes: Eyes) -> Head | str:
    """A mesh read round the eyes; failing that, the reference's landmarks laid on them by a similarity."""
    left, right = np.array(eyes[:2], np.float32), np.array(eyes[2:], np.float32)
    span = float(np.linalg.norm(right - left))
    h, w = sight.shape
    if span < 8 or right[0] <= left[0] or not (0 <= left[0] < w and 0 <= right[0] < w and 0 <= left[1] < h and 0 <= right[1] < h):
        return "the eyes given do not lie in the picture, the viewer's left one first"
    middle = (left + right) / 2
    box = (middle[0] - 1.1 * span, middle[1] - 0.9 * span, middle[0] + 1.1 * span, middle[1] + 1.6 * span)
    for copy, _, slack in _copies(sight):
        read = landmarks.read(copy, (float(box[0]), float(box[1]), float(box[2]), float(box[3])))
        if read is None or read[1] > LEAST_WOBBLE:
            continue
        points = read[0]
        off = [float(np.linalg.norm(points[iris, :2] - eye)) for iris, eye in zip(meshes.IRISES, (left, right), strict=True)]
        if max(off) < 0.25 * span:
            return sights.by_mesh(sight, points, "eyes", slack)
    if plate is None:
        return "no mesh can be laid on the eyes given; give the reference too"
    return _carried(sight, plate, left, right)


def _carried(sight: Sight, plate: Plate, left: F32, right: F32) -> Head:
    """The reference laid on two eyes. A turn in the picture's plane turns landmarks, not maps, so it goes by the mesh."""
    one, other = (plate.landmarks[iris, :2] for iris in meshes.IRISES)
    from_eyes, to_eyes = other - one, right - left
    scale = float(np.linalg.norm(to_eyes) / max(float(np.linalg.norm(from_eyes)), 1e-6))
    turn = float(np.arctan2(to_eyes[1], to_eyes[0]) - np.arctan2(from_eyes[1], from_eyes[0]))
    if abs(np.degrees(turn)) < 4:
        shift = (left + right) / 2 - scale * (one + other) / 2
        return sights.by_plate(sight, plate, Placement(scale, float(shift[0]), float(shift[1])), "eyes", EYES_SLACK_DEG)
    c, s = scale * np.cos(turn), scale * np.sin(turn)
    points = plate.landmarks.copy()
    points[:, :2] = (plate.landmarks[:, :2] - (one + other) / 2) @ np.array([[c, s], [-s, c]], np.float32) + (left + right) / 2
    points[:, 2] *= np.float32(scale)
    return sights.by_mesh(sight, points, "eyes", EYES_SLACK_DEG)


def _same_framing(sight: Sight, plate: Plate) -> Placement | None:
    """Plate to frame, where the frame has the reference's own shape and its edges lie where the reference's do."""
    h, w = sight.shape
    pw, ph = plate.photo.size_px
    if abs(w / h - pw / ph) > 0.01 * pw / ph:
        return None
    k = w / pw
    to_frame = Placement(k, (k - 1) / 2, (k - 1) / 2) @ plate.window.inverse()
    # Where the light fell, the person's own edges must show: the gradient of log light, as unit-length directions, agrees.
    small = (max(w // 4, 64), max(h // 4, 64))
    frame = cv2.resize(np.log(sight.even + np.float32(0.003)), small, interpolation=cv2.INTER_AREA)
    shrunk = Placement(small[0] / w, (small[0] / w - 1) / 2, (small[0] / w - 1) / 2) @ to_frame
    there = shrunk.warp(np.log(plate.colour.mean(-1) + np.float32(0.003)).astype(np.float32), small)
    cover = shrunk.warp(plate.matte, small, beyond="black")
    edge = cv2.dilate((cover > 0.5).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    a, b = contour.slopes(frame), contour.slopes(there)
    steep = np.hypot(*a)
    if edge.sum() < 500:
        return None
    strong = edge & (steep > np.percentile(steep[edge], 80))
    rows, cols = np.nonzero(strong)

    def match(down: int, right: int) -> float:
        """Mean |cosine| of the two gradients, the reference moved; 0 is chance (2 / pi), 1 is perfect."""
        y, x = np.clip(rows - down, 0, small[1] - 1), np.clip(cols - right, 0, small[0] - 1)
        dot = np.abs(a[0][rows, cols] * b[0][y, x] + a[1][rows, cols] * b[1][y, x])
        length = np.maximum(steep[rows, cols] * np.hypot(b[0][y, x], b[1][y, x]), 1e-6)
        return (float((dot / length).mean()) - 2 / np.pi) / (1 - 2 / np.pi)

    # It lies where it would if no place around it fits as well.
    here, away = match(0, 0), max(round(ASIDE_HW * plate.hw_px * shrunk.scale), 3)
    around = max(match(down, right) for down in (-away, 0, away) for right in (-away, 0, away) if down or right)
    return to_frame if here >= LEAST_MATCH and here >= around + BETTER_BY else None

"""Carve a person out of one photo: depth and normals from the face mesh, the silhouette and what anatomy allows.

Axes: x right, y up, z toward the camera; lengths in hw. Depth 0 is the plane through the ears.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.pixels import F32
from lowkey.plate import meshes
from lowkey.plate.inflate import inflate, smooth_extension

EMPTY_HW = np.float32(-8.0)
"""Depth where nobody is."""

MESH_Z = 0.95
"""The mesh is a few per cent too deep on everybody measured (nose base 1.2, bridge 1.07, brow 1.06)."""

HEAD_CURVATURE = 3.2
BODY_CURVATURE = 2.0


class Solid(NamedTuple):
    """One layer: depth f32[h, w] in hw and its unnormalised normal f32[h, w] each (right, up, toward)."""

    depth: F32
    n_right: F32
    n_up: F32
    n_toward: F32


def carve(landmarks: F32, matte: F32, parts: Mapping[str, F32], hw_px: float, colour: F32) -> tuple[F32, F32]:
    """Depth f32[h, w] in hw and unit normals f32[h, w, 3] of a person.

    `landmarks` f32[478, 3] in pixels (y down, z toward the camera, ears at 0), `matte` f32[h, w], `parts` soft
    memberships, `colour` f32[h, w, 3] linear. Head and hair are blown up from their silhouette, the face is the mesh
    (Loop-subdivided), the two are joined by a thin plate; the body stands back behind the jaw.
    """
    h, w = matte.shape
    face_z, face_in = _face(landmarks, (w, h), hw_px)
    jaw_px, below = _below_jaw(landmarks, (w, h), hw_px)
    smooth = cv2.GaussianBlur(matte, (0, 0), 0.012 * hw_px)
    hair = cv2.GaussianBlur(parts["hair"], (0, 0), 0.02 * hw_px)

    head_in = np.maximum(np.minimum(smooth, np.clip(0.5 - below / (0.3 * hw_px), 0, 1)), np.minimum(smooth, hair))
    head = _head(head_in, face_z, face_in, hw_px)
    body = _body(smooth, landmarks, below, parts, hw_px)
    depth, normal = _join(head, body, landmarks, face_z, jaw_px, below, hair, hw_px)

    if parts["hands"].max() > 0.5:
        depth, normal = _hands(parts["hands"], depth, normal, hw_px)
    normal = _skin_relief(normal, colour, parts, hw_px)
    empty = matte < 0.02
    depth = np.where(empty, EMPTY_HW, depth).astype(np.float32)
    return depth, normal


def _face(landmarks: F32, size_px: tuple[int, int], hw_px: float) -> tuple[F32, F32]:
    """Depth f32[h, w] of the face mesh in hw (0 off it) and its coverage f32[h, w]."""
    points = np.zeros((meshes.MOUTH_CENTRE + 1, 3), np.float64)
    points[: meshes.MOUTH_CENTRE] = landmarks
    points[:, 2] *= MESH_Z
    points[meshes.MOUTH_CENTRE] = points[list(meshes.MOUTH)].mean(0)
    # The mesh sets lids too deep under the brow: bring the rim, the ring round it and the eyeball forward.
    for rim, ring, iris in zip(meshes.EYES, meshes.EYES_SECOND_RING, meshes.IRISES, strict=True):
        points[list(rim), 2] += 0.030 * hw_px
        points[list(ring), 2] += 0.018 * hw_px
        points[iris] = points[list(rim)].mean(0) + (0, 0, 0.012 * hw_px)
    weights, faces = meshes.loop(2)
    z = meshes.raster((weights @ points).astype(np.float32), faces, size_px, -1e6)
    covered = (z > -1e5).astype(np.float32)
    # Blur only among covered pixels, so that the rim does not sink.
    sigma = 0.008 * hw_px
    mass = cv2.GaussianBlur(covered, (0, 0), sigma)
    z = cv2.GaussianBlur(np.where(covered > 0, z / np.float32(hw_px), 0).astype(np.float32), (0, 0), sigma) / np.maximum(mass, 1e-4)
    return np.where(covered > 0, z, 0).astype(np.float32), covered


def _below_jaw(landmarks: F32, size_px: tuple[int, int], hw_px: float) -> tuple[NDArray[np.float32], F32]:
    """The jaw line f32[n, 2] in pixels, ear to ear, and the signed distance f32[h, w] px to it (+ below)."""
    w, h = size_px
    up = landmarks[10, :2] - landmarks[152, :2]
    up = up / max(float(np.hypot(*up)), 1e-6)
    side = np.array([-up[1], up[0]], np.float32)
    jaw = landmarks[list(meshes.JAW), :2].astype(np.float32)
    # The line goes on outward and a little up from under the ears, so that whatever hangs beside the jaw is below it.
    left, right = jaw[2] - side * np.float32(8 * hw_px), jaw[-3] + side * np.float32(8 * hw_px)
    if (left - right) @ side > 0:
        left, right = right, left
    inner = jaw[2:-2]
    far = -up * np.float32(12 * hw_px)
    ring = np.concatenate([left[None], inner, right[None], (right + far)[None], (left + far)[None]])
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [np.round(ring * 16).astype(np.int32)], 1, shift=4)
    outside, within = 1 - mask, mask
    distance = cv2.distanceTransform(within, cv2.DIST_L2, 5) - cv2.distanceTransform(outside, cv2.DIST_L2, 5)
    return inner, cv2.GaussianBlur(distance, (0, 0), 1.5)


def _head(head_in: F32, face_z: F32, face_in: F32, hw_px: float) -> Solid:
    """Head and hair: inflated silhouette plus the smooth difference that the face mesh asks for."""
    h, w = head_in.shape
    u, u_x, u_y = inflate(head_in, hw_px, HEAD_CURVATURE)
    s = np.sqrt(u)
    # Extend (mesh - inflation) as a thin plate on a coarse grid over the whole head.
    step = hw_px / 28
    size = (max(8, round(w / step)), max(8, round(h / step)))
    core = cv2.erode(face_in, np.ones((3, 3), np.uint8), iterations=max(1, round(0.01 * hw_px)))
    known = cv2.resize(np.where(core > 0, face_z - s, 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(core, size, interpolation=cv2.INTER_AREA)
    domain = cv2.dilate(cv2.resize(head_in, size, interpolation=cv2.INTER_AREA), np.ones((5, 5))) > 0.4
    plate = smooth_extension(known / np.maximum(share, 1e-3), share > 0.9, domain, 2e-3)
    wide = cv2.resize(plate, (w, h), interpolation=cv2.INTER_CUBIC)
    wide = cv2.GaussianBlur(wide, (0, 0), step * 0.7)
    # Inside the oval the mesh itself; the hand-over takes .10 hw.
    reach = cv2.distanceTransform((face_in > 0).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(hw_px)
    own = _step(reach, 0.015, 0.12)
    depth = own * face_z + (1 - own) * (s + wide)
    wx, wy = _gradient(wide, hw_px)
    fx, fy = _gradient(cv2.GaussianBlur(np.where(face_in > 0, face_z, s + wide), (0, 0), 0.006 * hw_px), hw_px)
    nx, ny, nz = _unit(-(u_x / 2 + s * wx), u_y / 2 + s * wy, s + np.float32(1e-3))
    mx, my, mz = _unit(-fx, fy, np.ones_like(fx))
    return Solid(depth, own * mx + (1 - own) * nx, own * my + (1 - own) * ny, own * mz + (1 - own) * nz)


def _body(smooth: F32, landmarks: F32, below: F32, parts: Mapping[str, F32], hw_px: float) -> Solid:
    """Neck, shoulders and chest: a cylinder-true inflation set back behind the jaw.

    A person's throat lies .15-.3 hw behind the chin and shoulders further (measured on scans); an inflation with its
    silhouette in the plane of the ears stands too far forward, and then the jaw throws no shadow.
    """
    h, w = smooth.shape
    column = np.zeros((h, w), np.float32)
    a, b, c = landmarks[172, :2], landmarks[397, :2], landmarks[1, :2]
    cv2.fillPoly(column, [np.round(np.array([a, b, c])).astype(np.int32)], 1.0)
    domain = np.where(below > -1, smooth, np.minimum(smooth, column)).astype(np.float32)
    u, u_x, u_y = inflate(domain, hw_px, BODY_CURVATURE)
    s = np.sqrt(u)
    knee = np.float32(0.36)
    pressed = np.where(s > knee, knee + np.float32(0.4) * (s - knee), s)
    slope = np.where(s > knee, np.float32(0.4), np.float32(1.0))
    near, far = stand_back(landmarks, parts, hw_px)
    down = np.maximum(below, 0) / np.float32(hw_px)
    back = near + (far - near) * _step(down, 0.05, 0.55)
    depth = pressed - back
    bx, by = _gradient(cv2.GaussianBlur(back, (0, 0), 0.02 * hw_px), hw_px)
    nx, ny, nz = _unit(-(slope * u_x / 2 - s * bx), slope * u_y / 2 - s * by, s + np.float32(1e-3))
    return Solid(depth.astype(np.float32), nx, ny, nz)


def stand_back(landmarks: F32, parts: Mapping[str, F32], hw_px: float) -> tuple[float, float]:
    """How far (hw) neck and shoulders stand behind their inflation: (at the jaw, from .5 hw below it).

    Cloth that fills the space under the chin (scarf, collar, turtleneck) stands further forward than a throat does, so the
    share of skin in a window under the chin decides between .30 and .50.
    """
    chin = landmarks[152]
    h, w = parts["skin"].shape
    y0, y1 = int(np.clip(chin[1] + 0.08 * hw_px, 0, h)), int(np.clip(chin[1] + 0.38 * hw_px, 0, h))
    x0, x1 = int(np.clip(chin[0] - 0.2 * hw_px, 0, w)), int(np.clip(chin[0] + 0.2 * hw_px, 0, w))
    if y1 - y0 < 4 or x1 - x0 < 4:
        return 0.35, 0.45
    window = np.s_[y0:y1, x0:x1]
    skin, cloth = float(parts["skin"][window].mean()), float(parts["cloth"][window].mean())
    bare = skin / max(skin + cloth, 1e-3)
    return 0.25 + 0.17 * bare, 0.36 + 0.24 * bare


def _join(
    head: Solid, body: Solid, landmarks: F32, face_z: F32, jaw_px: NDArray[np.float32], below: F32, hair: F32, hw_px: float
) -> tuple[F32, F32]:
    """Head before body, with the jaw's underside between them: depth f32[h, w] and unit normal f32[h, w, 3]."""
    soft = np.float32(0.012 * hw_px)
    over = np.maximum(np.clip(0.5 - below / soft / 2, 0, 1), _step(hair, 0.35, 0.65))
    # From the jaw's edge the surface falls back steeply (scans: 60-70 degrees from the camera) until it meets the throat.
    edge = _along_jaw(landmarks, jaw_px, below.shape, hw_px)
    d = np.maximum(below, 0) / np.float32(hw_px)
    fall = np.float32(2.3) * d * d / (d + np.float32(0.03))
    under = edge - fall
    k = np.float32(0.03)
    gap = np.clip(0.5 + 0.5 * (under - body.depth) / k, 0, 1)
    lower = gap * under + (1 - gap) * body.depth + k * gap * (1 - gap)
    ux, uy = _gradient(cv2.GaussianBlur(under, (0, 0), 0.01 * hw_px), hw_px)
    jx, jy, jz = _unit(-ux, uy, np.ones_like(ux))
    parts_n = []
    for j, b, t in zip((jx, jy, jz), body[1:], head[1:], strict=True):
        parts_n.append(over * t + (1 - over) * (gap * j + (1 - gap) * b))
    depth = over * np.maximum(head.depth, lower * (below > 0) + head.depth * (below <= 0)) + (1 - over) * lower
    normal = np.stack(_unit(*parts_n), -1)
    return depth.astype(np.float32), normal


def _along_jaw(landmarks: F32, jaw_px: NDArray[np.float32], shape: tuple[int, int], hw_px: float) -> F32:
    """Depth f32[h, w] in hw of the jaw's edge nearest to each pixel, smoothed along the jaw."""
    h, w = shape
    ids = list(meshes.JAW)[2:-2]
    z = landmarks[ids, 2] / np.float32(hw_px) * np.float32(MESH_Z)
    step = max(1, round(hw_px / 40))
    ys, xs = np.mgrid[0 : h : step, 0 : w : step].astype(np.float32)
    total, mass = np.zeros_like(xs), np.zeros_like(xs)
    fine = np.linspace(0, len(ids) - 1, 81)
    px, py = np.interp(fine, range(len(ids)), jaw_px[:, 0]), np.interp(fine, range(len(ids)), jaw_px[:, 1])
    pz = np.interp(fine, range(len(ids)), z)
    # Inverse-distance weighting, steep enough to act as a smooth nearest neighbour.
    for x, y, v in zip(px, py, pz, strict=True):
        weight = 1 / ((xs - x) ** 2 + (ys - y) ** 2 + (0.04 * hw_px) ** 2) ** 2
        total += np.float32(v) * weight
        mass += weight
    return cv2.resize((total / mass).astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)


def _hands(hands: F32, depth: F32, normal: F32, hw_px: float) -> tuple[F32, F32]:
    """Lay hands in front of whatever they cover: a low cushion of their own silhouette."""
    mask = cv2.GaussianBlur(hands, (0, 0), 0.01 * hw_px)
    u, u_x, u_y = inflate(mask, hw_px, BODY_CURVATURE)
    s = np.sqrt(u)
    limit = np.float32(0.16)
    thick = s / (1 + (s / limit) ** 2) ** 0.5
    ground = cv2.GaussianBlur(depth, (0, 0), 0.05 * hw_px)
    on = _step(mask, 0.35, 0.65)
    ground = np.maximum(ground, depth)
    nx, ny, nz = _unit(-u_x / 2, u_y / 2, s + np.float32(1e-3))
    mixed = [on * a + (1 - on) * normal[..., i] for i, a in enumerate((nx, ny, nz))]
    return (depth + on * (ground - depth + thick + np.float32(0.03))).astype(np.float32), np.stack(_unit(*mixed), -1)


def _skin_relief(normal: F32, colour: F32, parts: Mapping[str, F32], hw_px: float) -> F32:
    """Tilt skin normals by the fine grain of the photo (pores, not wrinkles): at most about 3 degrees.

    The high-pass of log luminance is read as height (dark is low), softly compressed so that a wrinkle counts as a pore.
    """
    luma = np.log(np.maximum(colour @ np.array([0.2126, 0.7152, 0.0722], np.float32), 2e-3))
    fine = cv2.GaussianBlur(luma, (0, 0), 0.004 * hw_px) - cv2.GaussianBlur(luma, (0, 0), 0.014 * hw_px)
    fine = fine / (1 + np.abs(fine) / np.float32(0.12))
    features = np.maximum.reduce([parts["eyes"], parts["brows"], parts["lips"], parts["teeth"], parts["glasses"]])
    gate = cv2.GaussianBlur(np.clip(parts["skin"] - features, 0, 1), (0, 0), 0.01 * hw_px)
    gx, gy = _gradient(fine * gate, hw_px)
    gain = np.float32(0.0045)
    return np.stack(_unit(normal[..., 0] - gain * gx, normal[..., 1] + gain * gy, normal[..., 2]), -1)


def _gradient(z: F32, hw_px: float) -> tuple[F32, F32]:
    """Slope of f32[h, w] (hw) to the right and DOWN, hw per hw."""
    return cv2.Scharr(z, cv2.CV_32F, 1, 0, scale=hw_px / 32), cv2.Scharr(z, cv2.CV_32F, 0, 1, scale=hw_px / 32)


def _unit(x: F32, y: F32, z: F32) -> tuple[F32, F32, F32]:
    """Normalise three component maps."""
    length = np.maximum(np.sqrt(x * x + y * y + z * z), np.float32(1e-6))
    return (x / length).astype(np.float32), (y / length).astype(np.float32), (z / length).astype(np.float32)


def _step(x: F32, low: float, high: float) -> F32:
    """Smooth step 0..1 between low and high."""
    t = np.clip((x - np.float32(low)) / np.float32(high - low), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)

"""Carve a person out of one photo: depth and normals from the face mesh, the silhouette and what anatomy allows.

Axes: x right, y up, z toward the camera; lengths in hw. Depth 0 is the plane through the ears.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate import meshes
from lowkey.plate.inflate import inflate, smooth_extension
from lowkey.plate.zones import ramp
from lowkey.together import both

Map = NDArray[Any]
"""Any float map f[h, w] on its way to becoming F32."""
EMPTY_HW = np.float32(-8.0)
"""Depth where nobody is."""

MESH_Z = 0.95
"""The mesh is a few per cent too deep on everybody measured (nose base 1.2, bridge 1.07, brow 1.06)."""

HEAD_CURVATURE = 3.2
BODY_CURVATURE = 2.0
STIFFNESS = 5e-5
"""How fast hair and skull forget the face's own depth: over about (1 / STIFFNESS) ** .25 / 28 hw."""
UNDER_SLOPE = 2.2
THROAT_GAP = (0.26, 0.36)
"""From the chin back to what lies .15 hw below it, hw: (wrapped in cloth, bare). On scans .24, .38 and .62 (that head turned)."""
THROAT_VEILED = 0.16
"""The same under a veil that is drawn together below the chin."""
THROAT_FALL = 0.10
"""How much further back the pit of the throat lies than the throat under the jaw, hw (scans .06-.16)."""
CHEST = 0.15
"""How far the chest comes forward again, hw."""


HOLLOWS = (133, 362)
"""Mesh points at the inner corner of each eye."""
CANTHUS_HW, FILLED_HW, FILLED = 0.06, 0.055, 0.3
"""How far round HOLLOWS (sigma) the ditch there is filled, over what (sigma), and how much of it: the mesh knows neither the caruncle nor
the tendon of the lids that lie in it, and under a lamp from the side its ditch is a round black hole. Path-traced heads have the ditch:
filled whole, under the lids too, it costs .004 of SSIM."""


class Solid(NamedTuple):
    """One layer: depth f32[h, w] in hw and its unnormalised normal f32[h, w] each (right, up, toward)."""

    depth: F32
    n_right: F32
    n_up: F32
    n_toward: F32


def carve(landmarks: F32, matte: F32, parts: Mapping[str, F32], hw_px: float, colour: F32) -> tuple[F32, F32]:
    """Depth f32[h, w] in hw and unit normals f32[h, w, 3] of a person.

    `landmarks` f32[478, 3] in pixels (y down, z toward the camera, ears at 0), `matte` f32[h, w], `parts` soft
    memberships, `colour` f32[h, w, 3] linear. One silhouette is blown up as a whole, so that nothing has a seam; the face
    is the mesh (Loop-subdivided), joined by a thin plate; neck and body then stand back behind the jaw's underside.
    """
    form, grain = both(lambda: _form(landmarks, matte, parts, hw_px), lambda: _grain(colour, parts, hw_px))
    depth, normal = form
    normal = np.stack(_unit(normal[..., 0] - grain[0], normal[..., 1] + grain[1], normal[..., 2]), -1)
    return np.where(matte < 0.02, EMPTY_HW, depth).astype(np.float32), normal


def _form(landmarks: F32, matte: F32, parts: Mapping[str, F32], hw_px: float) -> tuple[F32, F32]:
    """Depth f32[h, w] and normals f32[h, w, 3] of `carve` without the skin's grain."""
    h, w = matte.shape
    # What is carved is smooth over .01 hw: a grid of about 160 px a head-width holds it, at a quarter of the work.
    shrink = max(1, int(hw_px / 140))
    if shrink == 1:
        return _solid(landmarks, matte, parts, hw_px)
    size = (max(8, round(w / shrink)), max(8, round(h / shrink)))
    k = np.array([size[0] / w, size[1] / h, (size[0] / w + size[1] / h) / 2], np.float32)
    points = (landmarks + np.array([0.5, 0.5, 0], np.float32)) * k - np.array([0.5, 0.5, 0], np.float32)
    small = {name: _resized(part, size, cv2.INTER_AREA) for name, part in parts.items()}
    depth, normal = _solid(points.astype(np.float32), _resized(matte, size, cv2.INTER_AREA), small, float(hw_px * k[2]))
    return _resized(depth, (w, h), cv2.INTER_CUBIC), _resized(normal, (w, h), cv2.INTER_LINEAR)


def _solid(landmarks: F32, matte: F32, parts: Mapping[str, F32], hw_px: float) -> tuple[F32, F32]:
    """Depth f32[h, w] and normals f32[h, w, 3] of `carve`, going on smoothly where nobody is, without the skin's grain."""
    h, w = matte.shape
    face_z, face_in, vertices = _face(landmarks, (w, h), hw_px)
    jaw = vertices[list(meshes.JAW)[2:-2]]
    below, beyond = _below_jaw(jaw[:, :2], landmarks, (w, h), hw_px)
    smooth = blur(matte, 0.012 * hw_px)
    lower = ramp(below / np.float32(hw_px), -0.15, 0.25)
    u, u_x, u_y = inflate(smooth, hw_px, HEAD_CURVATURE + (BODY_CURVATURE - HEAD_CURVATURE) * lower)
    under = _underside(jaw, below, hw_px)
    head = _head(u, u_x, u_y, smooth, face_z, face_in, below, beyond, under, hw_px)
    head = _teeth(head, parts["teeth"], hw_px)
    head = _ears(head, landmarks, parts, face_in, hw_px)
    body = _body(u, u_x, u_y, landmarks, below, parts, hw_px)
    depth, normal = _join(head, body, under, below, beyond, parts, hw_px)
    if parts["hands"].max() > 0.5:
        depth, normal = _hands(parts["hands"], depth, normal, hw_px)
    return depth, normal


def _face(landmarks: F32, size_px: tuple[int, int], hw_px: float) -> tuple[F32, F32, F32]:
    """Depth f32[h, w] of the face mesh in hw (0 off it), its coverage f32[h, w] and the smoothed vertices f32[479, 3] px."""
    points = np.zeros((meshes.MOUTH_CENTRE + 1, 3), np.float64)
    points[: meshes.MOUTH_CENTRE] = landmarks
    points[:, 2] *= MESH_Z
    points[meshes.MOUTH_CENTRE] = points[list(meshes.MOUTH)].mean(0)
    # The mesh sets lids too deep under the brow: bring the rim, the ring round it and the eyeball forward.
    for rim, ring, iris in zip(meshes.EYES, meshes.EYES_SECOND_RING, meshes.IRISES, strict=True):
        points[list(rim), 2] += 0.030 * hw_px
        points[list(ring), 2] += 0.018 * hw_px
        points[iris] = points[list(rim)].mean(0) + np.array([0, 0, 0.012 * hw_px])
    weights, faces = meshes.loop(2)
    fine = (weights @ points).astype(np.float32)
    z = meshes.raster(fine, faces, size_px, -1e6)
    covered = (z > -1e5).astype(np.float32)
    depth = _filled(np.where(covered > 0, z / np.float32(hw_px), 0).astype(np.float32), covered, landmarks, hw_px)
    return depth, covered, fine[: meshes.MOUTH_CENTRE + 1]


def _filled(depth: F32, covered: F32, landmarks: F32, hw_px: float) -> F32:
    """Depth f32[h, w] in hw with the ditches at the inner corners of the eyes filled in part."""
    ys, xs = (np.arange(n, dtype=np.float32) for n in depth.shape)
    near = sum(
        np.exp(-0.5 * ((ys[:, None] - y) ** 2 + (xs - x) ** 2) / np.float32(CANTHUS_HW * hw_px) ** 2)
        for x, y in landmarks[list(HOLLOWS), :2]
    )
    round_about = blur(depth * covered, FILLED_HW * hw_px) / np.maximum(blur(covered, FILLED_HW * hw_px), np.float32(0.05))
    lack = round_about - depth
    soft = np.float32(0.5) * (lack + np.sqrt(lack * lack + np.float32(0.006**2)))
    return np.asarray(depth + np.float32(FILLED) * np.minimum(near, 1) * covered * soft, np.float32)


def _below_jaw(jaw: F32, landmarks: F32, size_px: tuple[int, int], hw_px: float) -> tuple[F32, F32]:
    """Signed distance f32[h, w] px to the jaw line (+ below), and how far f32[h, w] px beside its ends (- between them).

    `jaw` f32[n, 2] px. The line goes on straight outward from under the ears, so that whatever hangs beside it is below.
    """
    w, h = size_px
    up = landmarks[10, :2] - landmarks[152, :2]
    up = up / max(float(np.hypot(*up)), 1e-6)
    side = np.array([-up[1], up[0]], np.float32)
    if (jaw[-1] - jaw[0]) @ side < 0:
        side = -side
    left, right, far = jaw[0] - side * np.float32(9 * hw_px), jaw[-1] + side * np.float32(9 * hw_px), -up * np.float32(15 * hw_px)
    ring = np.concatenate([left[None], jaw, right[None], (right + far)[None], (left + far)[None]])
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [np.round(ring * 16).astype(np.int32)], 1, shift=4)
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    along = xs * side[0] + ys * side[1]
    beyond = np.maximum(float(jaw[0] @ side) - along, along - float(jaw[-1] @ side))
    return np.asarray(blur(distance, 1.5), np.float32), beyond.astype(np.float32)


def _head(u: F32, u_x: F32, u_y: F32, smooth: F32, face_z: F32, face_in: F32, below: F32, beyond: F32, under: F32, hw_px: float) -> Solid:
    """Head and hair: the inflation plus the smooth difference that the face mesh asks for."""
    h, w = u.shape
    s = np.sqrt(u)
    # Extend (mesh - inflation) as a thin plate on a coarse grid over the head and a little below it.
    step = hw_px / 28
    size = (max(8, round(w / step)), max(8, round(h / step)))
    core = cv2.erode(face_in, np.ones((3, 3), np.uint8), iterations=max(1, round(0.01 * hw_px)))
    known = cv2.resize(np.where(core > 0, face_z - s, 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(core, size, interpolation=cv2.INTER_AREA)
    reach = cv2.resize(np.where(below < 0.9 * hw_px, smooth, 0).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    domain = cv2.dilate(reach, np.ones((5, 5))) > 0.4
    plate = smooth_extension(np.asarray(known / np.maximum(share, 1e-3), np.float32), share > 0.9, domain, STIFFNESS)
    wide = cv2.resize(plate, (w, h), interpolation=cv2.INTER_CUBIC)
    wide = blur(wide, step * 0.7)
    # Inside the oval the mesh itself; the hand-over takes .10 hw, but none at the jaw, where the mesh ends in the air and
    # its place is taken by the underside.
    inside = cv2.distanceTransform((face_in > 0).astype(np.uint8), cv2.DIST_L2, 5) / np.float32(hw_px)
    jaw = ramp(below / np.float32(hw_px), -0.16, -0.06) * ramp(-beyond / np.float32(hw_px), 0.02, 0.14)
    own = np.maximum(ramp(inside, 0.015, 0.12), jaw)
    mesh = np.where(face_in > 0, face_z, jaw * under + (1 - jaw) * (s + wide))
    mesh = blur(mesh.astype(np.float32), 0.010 * hw_px)
    depth = own * mesh + (1 - own) * (s + wide)
    wx, wy = _gradient(wide, hw_px)
    fx, fy = _gradient(mesh, hw_px)
    nx, ny, nz = _unit(-(u_x / 2 + s * wx), u_y / 2 + s * wy, s + np.float32(1e-3))
    mx, my, mz = _unit(-fx, fy, np.ones_like(fx))
    return Solid(depth, own * mx + (1 - own) * nx, own * my + (1 - own) * ny, own * mz + (1 - own) * nz)


def _teeth(head: Solid, teeth: F32, hw_px: float) -> Solid:
    """Teeth stand upright: the opening of a mouth takes the smooth facing of the face round it, not the lips' slant."""
    if teeth.max() < 0.5:
        return head
    on = blur(teeth, 0.01 * hw_px)
    away = np.clip(1 - blur(teeth, 0.02 * hw_px) * 1.5, 0, 1)
    mass = blur(away, 0.12 * hw_px)
    round_about = [blur(n * away, 0.12 * hw_px) / np.maximum(mass, 1e-3) for n in head[1:]]
    return Solid(head.depth, *_unit(*((1 - on) * n + on * r for n, r in zip(head[1:], round_about, strict=True))))


def _ears(head: Solid, landmarks: F32, parts: Mapping[str, F32], face_in: F32, hw_px: float) -> Solid:
    """Bare ears are no part of the skull's curve: leaves that face forward and outward, set back behind the cheek.

    On scans their mean normal is 30-35 degrees off the camera and their rim lies .2 hw behind the tragus.
    """
    h, w = face_in.shape
    up = landmarks[10] - landmarks[152]
    up = up[:2] / max(float(np.hypot(up[0], up[1])), 1e-6)
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    depth, nx, ny, nz = head
    clear = blur(parts["skin"], 0.01 * hw_px) * (1 - cv2.dilate(face_in, np.ones((3, 3), np.uint8)))
    for tragus, other, top, lobe in ((234, 454, 127, 132), (454, 234, 356, 361)):
        origin = landmarks[tragus, :2]
        out = np.array([-up[1], up[0]]) * np.sign((landmarks[tragus, :2] - landmarks[other, :2]) @ np.array([-up[1], up[0]]))
        across = ((xs - origin[0]) * out[0] + (ys - origin[1]) * out[1]) / np.float32(hw_px)
        tall = ((xs - origin[0]) * up[0] + (ys - origin[1]) * up[1]) / np.float32(hw_px)
        high, low = (float((landmarks[i, :2] - origin) @ up) / hw_px for i in (top, lobe))
        gate = ramp(across, -0.03, 0.01) * ramp(-across, -0.42, -0.30)
        gate = gate * ramp(tall, low - 0.10, low - 0.02) * ramp(-tall, -high - 0.10, -high - 0.02)
        on = gate * ramp(clear, 0.4, 0.8)
        if float(on.sum()) < 0.002 * hw_px**2:
            continue
        on = blur(on, 0.008 * hw_px)
        lean = np.float32(0.85)
        leaf = np.float32(landmarks[tragus, 2] / hw_px - 0.03) - np.float32(0.5) * np.maximum(across, 0)
        ex, ey, ez = _unit(lean * np.float32(out[0]) * np.ones_like(xs), -lean * np.float32(out[1]) * np.ones_like(xs), np.ones_like(xs))
        depth = depth + on * np.minimum(leaf - depth, 0)
        nx, ny, nz = ((1 - on) * a + on * b for a, b in ((nx, ex), (ny, ey), (nz, ez)))
    return Solid(depth, nx, ny, nz)


def _body(u: F32, u_x: F32, u_y: F32, landmarks: F32, below: F32, parts: Mapping[str, F32], hw_px: float) -> Solid:
    """Neck, shoulders and chest: the inflation, flattened, and set back behind the jaw.

    A throat lies .15-.3 hw behind the chin and shoulders further (measured on scans); an inflation with its silhouette in
    the plane of the ears stands too far forward, and then the jaw throws no shadow.
    """
    s = np.sqrt(u)
    # Thin strips (necks) stay cylinders; broad ones (chests) are flatter than they are wide.
    bulge = 1 / np.sqrt(1 + (s / np.float32(0.5)) ** 2)
    pressed = s * (np.float32(0.35) + np.float32(0.65) * bulge)
    slope = np.float32(0.35) + np.float32(0.65) * bulge**3
    # Where the middle of the body lies is anatomy, not silhouette: the inflation only says how it falls off to the sides.
    away, level = _down_the_middle(pressed, landmarks, hw_px)
    lies = float(landmarks[152, 2]) / hw_px * MESH_Z - throat_gap(landmarks, parts, hw_px, veiled(parts, below, hw_px))
    lies_there = lies - THROAT_FALL * ramp(away, 0.15, 0.5) + CHEST * ramp(away, 0.6, 1.5)
    back = np.interp(below / hw_px, away, level - lies_there).astype(np.float32)
    bx, by = _gradient(blur(back, 0.02 * hw_px), hw_px)
    nx, ny, nz = _unit(-(slope * u_x / 2 - s * bx), slope * u_y / 2 - s * by, s + np.float32(1e-3))
    return Solid((pressed - back).astype(np.float32), nx, ny, nz)


def _down_the_middle(body: Map, landmarks: F32, hw_px: float) -> tuple[Map, Map]:
    """Height f[n] of a body f32[h, w] below the chin, on the head's axis, at distances f[n] from it (hw)."""
    h, w = body.shape
    chin, up = landmarks[152, :2], landmarks[10, :2] - landmarks[152, :2]
    up = up / max(float(np.hypot(*up)), 1e-6)
    away, level = [], []
    r = max(1, round(0.1 * hw_px))
    for d in np.arange(0.12, 3.0, 0.04):
        x, y = (round(float(v)) for v in chin - up * d * hw_px)
        if not (0 <= y < h and r <= x < w - r):
            break
        away.append(d)
        level.append(float(np.median(body[y, x - r : x + r + 1])))
    if not away:
        return np.array([0.0]), np.array([0.3])
    steps = np.pad(np.array(level), 4, mode="edge")
    return np.array(away), np.convolve(steps, np.ones(9) / 9, mode="valid")


def throat_gap(landmarks: F32, parts: Mapping[str, F32], hw_px: float, veil: float = 0.0) -> float:
    """How far (hw) what lies .15 hw below the chin stands behind it.

    Cloth that fills the space under the chin (scarf, collar, turtleneck) stands further forward than a throat does, so the
    share of skin in a window under the chin decides between the two gaps; a veil (0..1) is drawn together still nearer.
    """
    chin = landmarks[152]
    h, w = parts["skin"].shape
    y0, y1 = (int(np.clip(chin[1] + k * hw_px, 0, h)) for k in (0.09, 0.33))
    x0, x1 = (int(np.clip(chin[0] + k * hw_px, 0, w)) for k in (-0.12, 0.12))
    bare = 0.5
    if y1 - y0 >= 3 and x1 - x0 >= 3:
        skin, cloth = float(parts["skin"][y0:y1, x0:x1].mean()), float(parts["cloth"][y0:y1, x0:x1].mean())
        bare = skin / (skin + cloth) if skin + cloth > 0.05 else 0.5
    gap = THROAT_GAP[0] + (THROAT_GAP[1] - THROAT_GAP[0]) * bare
    return gap + (THROAT_VEILED - gap) * veil


def _join(
    head: Solid, body: Solid, under: F32, below: F32, beyond: F32, parts: Mapping[str, F32], hw_px: float
) -> tuple[F32, F32]:
    """Head before body, with the jaw's underside between them: depth f32[h, w] and unit normal f32[h, w, 3]."""
    d = below / np.float32(hw_px)
    inside = -beyond / np.float32(hw_px)
    # Firm: under the jaw's own bone, chin before underside before throat.
    k = np.float32(0.06)
    gap = np.clip(np.float32(0.5) + np.float32(0.5) * (under - body.depth) / k, 0, 1)
    lower = gap * under + (1 - gap) * body.depth + k * gap * (1 - gap)
    ux, uy = _gradient(under, hw_px)
    jaw_n = _unit(-ux, uy, np.ones_like(ux))
    lower_n = [blur(gap * j + (1 - gap) * b, 0.018 * hw_px) for j, b in zip(jaw_n, body[1:], strict=True)]
    over = 1 - ramp(d, -0.004, 0.012)
    firm = [over * t + (1 - over) * b for t, b in zip(head, (lower, *lower_n), strict=True)]
    # Loose: beside the jaw, and where hair hangs over it, a slow slope (a beard under the chin is jaw, not hanging hair).
    hair = blur(parts["hair"], 0.03 * hw_px) * (1 - ramp(inside, 0.1, 0.2) * ramp(-d, -0.3, -0.2))
    veil = blur(parts["cloth"] * (1 - ramp(inside, 0.0, 0.3)), 0.08 * hw_px) * np.float32(veiled(parts, below, hw_px))
    hanging, drawn = ramp(hair, 0.3, 0.7), ramp(veil, 0.1, 0.9)
    end = np.float32(0.20) + np.float32(0.50) * hanging
    over = 1 - ramp((d + np.float32(0.12)) / (end + np.float32(0.12)), 0.0, 1.0)
    thick = np.float32(0.06) * ramp(blur(hair, 0.06 * hw_px), 0.3, 0.8) * ramp(d, 0.0, 0.5)
    slow = [over * t + (1 - over) * b for t, b in zip(head, (body.depth + thick, *body[1:]), strict=True)]
    loose = np.maximum.reduce([ramp(-inside, -0.14, 0.12), hanging, drawn])
    depth, *normal = ((1 - loose) * f + loose * g for f, g in zip(firm, slow, strict=True))
    return np.asarray(depth, np.float32), np.stack(_unit(*normal), -1)


def veiled(parts: Mapping[str, F32], below: F32, hw_px: float) -> float:
    """0..1: does cloth frame the head above the jaw (hijab, scarf, hood)? Then it also comes down beside and under it."""
    above = (below < -0.1 * hw_px) & (below > -1.0 * hw_px) & (parts["skin"] + parts["background"] < 0.5)
    share = float(parts["cloth"][above].mean()) if above.any() else 0.0
    return min(max((share - 0.3) / 0.3, 0.0), 1.0)


def _underside(jaw: F32, below: F32, hw_px: float) -> F32:
    """Depth f32[h, w] in hw of the jaw's underside, which falls back steeply from the bone (scans: 60-70 degrees).

    `jaw` f32[n, 3] px. Each pixel hangs from the edge nearest to it: inverse-distance weights, a smooth nearest neighbour.
    """
    h, w = below.shape
    step = max(1, round(hw_px / 40))
    ys, xs = np.mgrid[0:h:step, 0:w:step].astype(np.float32)
    total, mass = np.zeros_like(xs), np.zeros_like(xs)
    fine = np.linspace(0, len(jaw) - 1, 81)
    for x, y, z in np.stack([np.interp(fine, range(len(jaw)), jaw[:, i]) for i in range(3)], -1).astype(np.float32):
        weight = 1 / ((xs - x) ** 2 + (ys - y) ** 2 + np.float32(0.025 * hw_px) ** 2) ** 2
        total += z / np.float32(hw_px) * weight
        mass += weight
    edge = cv2.resize((total / mass).astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
    fall = edge - np.float32(UNDER_SLOPE / hw_px) * np.maximum(below, 0)
    return np.asarray(blur(fall, 0.012 * hw_px), np.float32)


def _hands(hands: F32, depth: F32, normal: F32, hw_px: float) -> tuple[F32, F32]:
    """Lay hands in front of whatever they cover: a low cushion of their own silhouette."""
    mask = blur(hands, 0.01 * hw_px)
    u, u_x, u_y = inflate(mask, hw_px, BODY_CURVATURE)
    s = np.sqrt(u)
    limit = np.float32(0.16)
    thick = s / (1 + (s / limit) ** 2) ** 0.5
    ground = blur(depth, 0.05 * hw_px)
    on = ramp(mask, 0.35, 0.65)
    ground = np.maximum(ground, depth)
    nx, ny, nz = _unit(-u_x / 2, u_y / 2, s + np.float32(1e-3))
    mixed = [on * a + (1 - on) * normal[..., i] for i, a in enumerate((nx, ny, nz))]
    return (depth + on * (ground - depth + thick + np.float32(0.03))).astype(np.float32), np.stack(_unit(*mixed), -1)


def _grain(colour: F32, parts: Mapping[str, F32], hw_px: float) -> tuple[F32, F32]:
    """How far the fine grain of the photo (pores, not wrinkles) tilts skin to the right and down: at most about 3 degrees.

    The high-pass of log luminance is read as height (dark is low), softly compressed so that a wrinkle counts as a pore.
    """
    luma = np.log(np.maximum(luminance(colour), 2e-3))
    fine = blur(luma, 0.004 * hw_px) - blur(luma, 0.014 * hw_px)
    # Strong texture is stray hair, not skin.
    fine = fine / (1 + np.abs(fine) / np.float32(0.12)) / (1 + blur(fine * fine, 0.02 * hw_px) / np.float32(0.05**2))
    features = np.maximum.reduce([parts["eyes"], parts["brows"], parts["lips"], parts["teeth"], parts["glasses"]])
    gate = blur(np.clip(parts["skin"] - features, 0, 1), 0.01 * hw_px)
    gx, gy = _gradient(fine * gate, hw_px)
    gain = np.float32(0.0045)
    return gain * gx, gain * gy


def _resized(image: Map, size_px: tuple[int, int], how: int) -> F32:
    return np.asarray(cv2.resize(image, size_px, interpolation=how), np.float32)


def _gradient(z: Map, hw_px: float) -> tuple[F32, F32]:
    """Slope of f32[h, w] (hw) to the right and DOWN, hw per hw."""
    down, right = (cv2.Scharr(z, cv2.CV_32F, 1 - i, i, scale=hw_px / 32) for i in (1, 0))
    return np.asarray(right, np.float32), np.asarray(down, np.float32)


def _unit(x: Map, y: Map, z: Map) -> tuple[F32, F32, F32]:
    """Normalise three component maps."""
    length = np.maximum(np.sqrt(x * x + y * y + z * z), np.float32(1e-6))
    return (x / length).astype(np.float32), (y / length).astype(np.float32), (z / length).astype(np.float32)

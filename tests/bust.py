"""An analytic bust with exact geometry: ellipsoid head with a nose, cylinder neck, ellipsoid shoulders.

Seen by an orthographic camera. Units are head-widths; the origin is the picture's middle, x right, y UP, z toward the camera.
"""

from __future__ import annotations

import numpy as np

from lowkey.darkroom.subject import Subject
from lowkey.pixels import F32

SOLIDS = {
    # name: (centre, half axes)
    "head": ((0.0, 0.35, 0.0), (0.52, 0.70, 0.62)),
    "nose": ((0.0, 0.28, 0.60), (0.085, 0.17, 0.16)),
    "shoulders": ((0.0, -1.15, -0.25), (1.25, 0.55, 0.42)),
}
NECK = (0.0, -0.22, 0.27)
"""The neck, an upright cylinder: x and z of its axis, radius."""
CHIN_Y, NECK_Y = -0.35, (-0.9, -0.2)
NOBODY = -8.0


def rays(hw_px: float, width_hw: float = 3.0, height_hw: float = 3.0, lean: float = 0.0) -> tuple[F32, F32, F32]:
    """Depth f32[h, w] (hw), unit normals f32[h, w, 3] and a label f32[h, w] (0 nobody, 1 head, 2 nose, 3 shoulders, 4 neck).

    `lean` moves the nose to the right, for a bust that differs from its mirror image. Odd sizes, so that it can be mirrored.
    """
    w, h = int(width_hw * hw_px) // 2 * 2 + 1, int(height_hw * hw_px) // 2 * 2 + 1
    x = ((np.arange(w) - (w - 1) / 2) / hw_px)[None, :]
    y = (-(np.arange(h) - (h - 1) / 2) / hw_px)[:, None]
    depth, normal, label = np.full((h, w), NOBODY), np.zeros((h, w, 3)), np.zeros((h, w))
    normal[..., 2] = 1
    for i, (name, ((cx, cy, cz), (a, b, c))) in enumerate(SOLIDS.items(), 1):
        px, py = (x - cx - (lean if name == "nose" else 0)) / a, (y - cy) / b
        q = 1 - px**2 - py**2
        z = cz + c * np.sqrt(np.maximum(q, 0))
        n = np.stack(np.broadcast_arrays(px / a, py / b, (z - cz) / c**2), -1)
        front = (q > 0) & (z > depth)
        depth, label = np.where(front, z, depth), np.where(front, i, label)
        normal = np.where(front[..., None], n, normal)
    q = NECK[2] ** 2 - (x - NECK[0]) ** 2
    z = np.broadcast_to(NECK[1] + np.sqrt(np.maximum(q, 0)), depth.shape)
    front = (q > 0) & (y > NECK_Y[0]) & (y < NECK_Y[1]) & (z > depth)
    depth, label = np.where(front, z, depth), np.where(front, 4, label)
    normal = np.where(front[..., None], np.stack(np.broadcast_arrays((x - NECK[0]) + 0 * y, 0 * x + 0 * y, z - NECK[1]), -1), normal)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return depth.astype(np.float32), normal.astype(np.float32), label.astype(np.float32)


def subject(hw_px: float = 96.0, *, albedo: float = 0.5, specular: float = 0.0, skin: float = 0.0, lean: float = 0.0) -> Subject:
    """The bust as a matte Subject of one grey; `specular` (F0) and `skin` (0..1) switch lobes and diffusion on."""
    depth, normal, label = rays(hw_px, lean=lean)
    on = (label > 0).astype(np.float32)
    nil = np.zeros_like(on)
    return Subject(
        hw_px=hw_px, matte=on, albedo=np.repeat((albedo * on)[..., None], 3, -1), depth=depth, normal=normal, skin=skin * on, hair=nil,
        cloth=nil, eyes=nil, roughness=np.full_like(on, 0.4), specular=specular * on, sheen=nil,
        head_px=((on.shape[1] - 1) / 2, (on.shape[0] - 1) / 2 - 0.35 * hw_px),
    )  # fmt: skip


def mirrored(s: Subject) -> Subject:
    """The same bust seen in a mirror."""
    normal = s.normal[:, ::-1] * np.array([-1, 1, 1], np.float32)
    none = {name for name in ("strands", "lone", "lips", "teeth", "ears", "room") if getattr(s, name) is None}
    names = set(Subject.__dataclass_fields__) - {"hw_px", "normal", "head_px", "shine", "eased"} - none
    flip = {name: np.ascontiguousarray(getattr(s, name)[:, ::-1]) for name in sorted(names)}
    head = s.matte.shape[1] - 1 - s.head_px[0], s.head_px[1]
    return Subject(hw_px=s.hw_px, normal=np.ascontiguousarray(normal), head_px=head, shine=s.shine, **flip)


def plate(hw_px: float = 96.0):  # type: ignore[no-untyped-def]
    """The bust as a plate: exact normals, the whole of it bare skin, a mesh laid on its face."""
    from lowkey.frame import Placement
    from lowkey.photo import Photo
    from lowkey.plate.plate import PARTS, FoundLight, Plate, Pose

    depth, normal, label = rays(hw_px)
    on = (label > 0).astype(np.float32)
    parts = {name: np.zeros_like(on) for name in PARTS}
    parts["skin"], parts["cloth"], parts["background"] = on * (label != 3), on * (label == 3), 1 - on
    grey = np.repeat((0.5 * on)[..., None], 3, -1)
    photo = Photo(np.zeros((*on.shape, 3), np.uint8), "00" * 32, "bust")
    return Plate(
        photo=photo, window=Placement(1, 0, 0), hw_px=hw_px, landmarks=landmarks(hw_px), pose=Pose(0, 0, 0), inside=np.ones_like(on),
        colour=grey, matte=on, parts=parts, depth=depth, normal=normal, albedo=grey, found_light=FoundLight(0, 0, 0, False, 0, 1),
        confidence=1.0, warnings=(), read_by={"bust": "1"},
    )  # fmt: skip


def at(picture: F32, x_hw: float, y_hw: float, hw_px: float) -> F32:
    """The value of a map at a place in head-widths."""
    h, w = picture.shape[:2]
    value: F32 = picture[round((h - 1) / 2 - y_hw * hw_px), round((w - 1) / 2 + x_hw * hw_px)]
    return value


def landmarks(hw_px: float) -> F32:
    """478 mesh points f32[478, 3] (px, px down, px toward the camera, ears at 0) laid on the bust's face.

    The mesh is unfolded by Tutte's barycentric embedding with its oval on an ellipse, then lifted onto the exact surface.
    """
    import scipy.sparse as sp
    from scipy.sparse.linalg import spsolve

    from lowkey.plate import meshes

    depth, _, _ = rays(hw_px)
    h, w = depth.shape
    edges = {pair for t in meshes.triangles().tolist() for pair in ((t[0], t[1]), (t[1], t[2]), (t[0], t[2]))}
    n = meshes.MOUTH_CENTRE + 1
    a = np.array(sorted(edges))
    graph = sp.coo_matrix((np.ones(len(a)), (a[:, 0], a[:, 1])), (n, n))
    graph = (graph + graph.T).tocsr()
    xy = np.zeros((n, 2))
    turn = np.pi / 2 - 2 * np.pi * np.arange(len(meshes.OVAL)) / len(meshes.OVAL)
    xy[list(meshes.OVAL)] = np.stack([0.5 * np.cos(turn), 0.35 + 0.56 * np.sin(turn)], -1)
    free = np.array([i for i in range(n) if i not in set(meshes.OVAL) and graph[i].nnz])
    laplace = sp.diags(np.asarray(graph.sum(1)).ravel()) - graph
    rhs = -laplace[free][:, list(meshes.OVAL)] @ xy[list(meshes.OVAL)]
    xy[free] = spsolve(laplace[free][:, free].tocsc(), rhs)
    px, py = (w - 1) / 2 + xy[:, 0] * hw_px, (h - 1) / 2 - xy[:, 1] * hw_px
    z = depth[np.clip(np.round(py).astype(int), 0, h - 1), np.clip(np.round(px).astype(int), 0, w - 1)]
    z = z - (z[234] + z[454]) / 2
    points = np.stack([px, py, z * hw_px], -1)[: meshes.MOUTH_CENTRE]
    for i, (rim, iris) in enumerate(zip(meshes.EYES, meshes.IRISES, strict=True)):
        points[iris : iris + 5] = points[list(rim)].mean(0)
        points[iris + 1 : iris + 5, 0] += np.array([1, 0, -1, 0]) * 0.05 * hw_px
        points[iris + 1 : iris + 5, 1] += np.array([0, 1, 0, -1]) * 0.05 * hw_px
        assert i < 2
    return points.astype(np.float32)

"""Laws of the parts, on drawn heads whose every region is known, and facts that must hold on real portraits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lowkey import photo
from lowkey.pixels import F32, luminance
from lowkey.plate import cover, features, hands, mixtures, parts, scan, walk
from lowkey.plate.meshes import EYES, MOUTH, OVAL
from lowkey.plate.plate import PARTS, Plate

HW = 160.0
WIDE, HIGH, CHIN_X, CHIN_Y = 640, 760, 320.0, 400.0
WHOLE = ("skin", "hair", "cloth", "hands", "glasses", "background")
FAIR, BROWN, DARK = (0.62, 0.42, 0.33), (0.30, 0.17, 0.11), (0.045, 0.022, 0.014)
BLACK, RED, BLOND, GREY = (0.012, 0.009, 0.008), (0.22, 0.07, 0.025), (0.42, 0.29, 0.14), (0.33, 0.32, 0.31)


@dataclass(frozen=True)
class Drawn:
    """A drawn plate and what was drawn where."""

    colour: F32
    matte: F32
    points: F32
    inside: F32
    skin: Any
    hair: Any
    cloth: Any

    def read(self) -> tuple[dict[str, F32], float]:
        return parts.part(self.colour, self.matte, self.points, HW, self.inside)


@pytest.fixture(autouse=True)
def nobody_waves(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn people hold up no hands, so the hand reader need not look."""
    if "shared" not in request.fixturenames:
        monkeypatch.setattr(hands, "read", lambda colour, hw_px: [])


@pytest.fixture(scope="module")
def face(astronaut_plate: Plate) -> F32:
    """A real mesh, set upright, at the drawing's scale and place."""
    points = astronaut_plate.landmarks.copy()
    turn = np.radians(astronaut_plate.pose.roll_deg)
    c, s = np.cos(turn), np.sin(turn)
    points -= points[152] * np.array([1, 1, 0], np.float32)
    points[:, :2] = points[:, :2] @ np.array([[c, -s], [s, c]], np.float32)
    points *= np.float32(HW / astronaut_plate.hw_px)
    return (points + np.array([CHIN_X, CHIN_Y, 0], np.float32)).astype(np.float32)


def draw(
    face: F32, *, skin: tuple[float, ...] = FAIR, hair: tuple[float, ...] | None = BLACK, cloth: tuple[float, ...] = (0.05, 0.08, 0.25),
    long: bool = False, veil: bool = False, bare: bool = False, collar: float = 0.28, light: float = 0.3, dim: float = 1.0,
    strand: float = 0.35,
) -> Drawn:  # fmt: skip
    """A head, a neck and shoulders. light: how much darker (share) frame-right is; collar: how far below the chin cloth begins (hw);
    strand: how much strands stand out (log)."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:HIGH, :WIDE].astype(np.float32)
    u, v = (x - face[[234, 454], 0].mean()) / np.float32(HW), (CHIN_Y - y) / np.float32(HW)

    def noise(across: float, down: float) -> F32:
        n = cv2.GaussianBlur(rng.standard_normal((HIGH, WIDE)).astype(np.float32), (0, 0), across, sigmaY=down)
        return n / n.std()

    inner = features.filled(face, OVAL, (HIGH, WIDE)) > 0.5
    skull = (u / 0.62) ** 2 + ((v - 0.88) / 0.82) ** 2 < 1
    ears = (np.abs(np.abs(u) - 0.53) < 0.07) & (np.abs(v - 0.62) < 0.17)
    neck = (np.abs(u) < 0.38 + 0.1 * np.clip(-v, 0, 1)) & (v < 0.35) & (v > -0.6)
    torso = (v < -0.30 - 0.25 * np.clip(np.abs(u) - 0.35, 0, None)) & (np.abs(u) < 1.5)
    shirt = torso & ~((np.abs(u) < 0.5) & (v > -collar)) & (not bare)
    cap = skull & ~inner & ~ears & (v > 0.55)
    locks = (np.abs(np.abs(u) - 0.56) < 0.13) & (v < 0.9) & (v > -0.8) & (not inner.all())
    wrap = ((u / 0.75) ** 2 + ((v - 0.75) / 1.0) ** 2 < 1) & ~inner
    covered = wrap if veil else (cap | (locks & ~inner & ~ears) if long else cap) if hair else np.zeros_like(cap)
    flesh = (inner | ears | neck | (skull if not hair else inner) | (torso if bare else inner)) & ~covered & ~shirt
    worn = (shirt & ~covered) | (covered & veil)
    strands = covered & (not veil)

    shade = (1 - np.float32(light) * np.clip(0.5 + u, 0, 1))[..., None]
    fine = noise(0.8, 6)[..., None]
    colour = np.full((HIGH, WIDE, 3), 0.25, np.float32)
    colour = np.where(flesh[..., None], np.array(skin, np.float32) * (1 + 0.012 * noise(2, 2)[..., None]) * shade, colour)
    # The jaw throws its shade on the neck.
    under = (flesh & ~inner & (v < 0.1) & (v > -0.3))[..., None]
    colour = np.where(under, colour * (0.45 + 1.8 * np.clip(-v, 0, 0.3)[..., None]), colour)
    colour = np.where(shirt[..., None], np.array(cloth, np.float32) * (1 + 0.03 * noise(8, 8)[..., None]) * shade, colour)
    if hair and not veil:
        colour = np.where(strands[..., None], np.array(hair, np.float32) * np.exp(np.float32(strand) * fine) * shade, colour)
    if veil:
        colour = np.where((covered & worn)[..., None], np.array(cloth, np.float32) * (1 + 0.03 * noise(9, 9)[..., None]) * shade, colour)
    for ring in features.BROWS:
        colour *= 1 - 0.7 * features.filled(face, ring, (HIGH, WIDE))[..., None]
    for ring in EYES:
        colour *= 1 - 0.6 * features.filled(face, ring, (HIGH, WIDE))[..., None]
    lips = features.filled(face, features.LIPS, (HIGH, WIDE))[..., None]
    colour *= 1 - lips * np.array([0.25, 0.55, 0.5], np.float32)
    colour = cv2.GaussianBlur(np.clip(colour * np.float32(dim), 0, 1), (0, 0), 0.7)
    matte = cv2.GaussianBlur((flesh | worn | strands).astype(np.float32), (0, 0), 0.8)
    return Drawn(colour, matte, face, np.ones((HIGH, WIDE), np.float32), flesh, strands, worn)


def iou(found: F32, true: Any) -> float:
    return float(((found > 0.5) & true).sum() / max(((found > 0.5) | true).sum(), 1))


PEOPLE: dict[str, tuple[dict[str, Any], float, float, float]] = {
    "black hair": ({}, 0.98, 0.97, 0.98),
    "blond, near the skin's own colour": ({"hair": BLOND, "cloth": (0.6, 0.6, 0.6)}, 0.98, 0.97, 0.98),
    "red hair, white shirt": ({"hair": RED, "cloth": (0.75, 0.74, 0.72)}, 0.98, 0.97, 0.98),
    "grey hair": ({"hair": GREY}, 0.98, 0.97, 0.98),
    "white hair, white collar": (
        {"hair": (0.92, 0.90, 0.88), "strand": 0.05, "cloth": (0.9, 0.89, 0.87), "collar": 0.06},
        0.98,
        0.97,
        0.98,
    ),
    "dark skin in dim light": ({"skin": DARK, "cloth": (0.03, 0.02, 0.09)}, 0.96, 0.96, 0.97),
    "brown skin in hard light": ({"skin": BROWN, "light": 0.85}, 0.96, 0.95, 0.97),
    "long red hair": ({"hair": RED, "long": True}, 0.97, 0.96, 0.98),
    "black hair, black collar up to the chin": ({"collar": 0.02, "cloth": (0.015, 0.013, 0.012)}, 0.96, 0.95, 0.95),
    "long black hair on a grey shirt": ({"long": True, "cloth": (0.15, 0.15, 0.15)}, 0.96, 0.95, 0.95),
    "a sand-coloured shirt": ({"cloth": (0.50, 0.40, 0.28)}, 0.94, 0.95, 0.92),
}


@pytest.mark.parametrize("who", PEOPLE)
def test_a_drawn_head_is_read_as_drawn(who: str, face: F32) -> None:
    how, skin, hair, cloth = PEOPLE[who]
    d = draw(face, **how)
    found, sure = d.read()
    seen = {"skin": iou(found["skin"], d.skin), "hair": iou(found["hair"], d.hair), "cloth": iou(found["cloth"], d.cloth)}
    assert min(seen["skin"] - skin, seen["hair"] - hair, seen["cloth"] - cloth) > 0, seen
    assert sure > 0.7


def test_everything_belongs_to_one_part(face: F32) -> None:
    d = draw(face, long=True)
    found, sure = d.read()
    assert set(found) == set(PARTS)
    for name, part in found.items():
        assert (part.shape, part.dtype) == (d.matte.shape, np.float32), name
        assert part.min() >= 0, name
        assert part.max() <= 1 + 1e-6, name
    assert np.abs(sum(found[name] for name in WHOLE) - 1).max() < 1e-3
    assert np.abs(found["background"] - (1 - d.matte)).max() < 1e-6
    for name in ("eyes", "brows", "lips", "teeth"):
        assert (found[name] <= found["skin"] + found["hair"] + found["glasses"] + 1e-3).all(), name
    assert 0 <= sure <= 1


def test_a_bald_head_is_skin(face: F32) -> None:
    d = draw(face, hair=None, bare=True)
    found, _ = d.read()
    person = d.matte.sum()
    assert found["hair"].sum() < 0.002 * person
    assert found["cloth"].sum() < 0.01 * person


def test_a_veil_is_cloth_and_hair_is_not(face: F32) -> None:
    """The same shape round the face: pink, smooth and closed under the chin it is a veil; dark strands over a bare neck are hair."""
    veiled = draw(face, veil=True, cloth=(0.42, 0.25, 0.33))
    found, _ = veiled.read()
    assert iou(found["cloth"], veiled.cloth) > 0.96
    assert found["hair"].sum() < 0.01 * veiled.matte.sum()
    loose = draw(face, long=True)
    found, _ = loose.read()
    assert iou(found["hair"], loose.hair) > 0.95


@pytest.mark.parametrize("white", [(0.85, 0.84, 0.82), (0.7, 0.72, 0.76)])
def test_a_white_veil_hangs_beside_the_jaw_and_white_hair_does_not(face: F32, white: tuple[float, ...]) -> None:
    veiled, short = draw(face, veil=True, cloth=white), draw(face, hair=white, strand=0.05)
    found, _ = veiled.read()
    assert iou(found["cloth"], veiled.cloth) > 0.96
    assert found["hair"].sum() < 0.01 * veiled.matte.sum()
    for d, hangs in ((veiled, (1.0, 1.0)), (short, (0.0, 0.0))):
        p = features.proof(d.colour, d.matte, d.points, HW, d.inside, np.zeros_like(d.matte))
        assert cover._beside_jaw(p, parts.read(p).prob) == hangs


def test_the_exposure_of_the_photo_does_not_matter(face: F32) -> None:
    """Everything is measured against the face: two stops darker, the same parts."""
    bright, dim = draw(face, skin=BROWN).read()[0], draw(face, skin=BROWN, dim=0.25).read()[0]
    for name in ("skin", "hair", "cloth"):
        assert np.abs(bright[name] - dim[name]).mean() < 0.004, name


def test_same_bytes_again_and_for_any_thread_count(face: F32) -> None:
    d = draw(face, hair=RED, long=True)
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one, sure = d.read()
        cv2.setNumThreads(4)
        four, again = d.read()
    finally:
        cv2.setNumThreads(threads)
    assert sure == again
    for name in PARTS:
        assert one[name].tobytes() == four[name].tobytes(), name


def twins() -> Any:
    """For each mesh point that the parts look at, the one it changes places with in a mirror; the rest stay."""
    twin = np.arange(478)
    for ring in (OVAL, features.LIPS, MOUTH):
        turn = 0 if ring is OVAL else len(ring) // 2
        twin[list(ring)] = [ring[(turn - k) % len(ring)] for k in range(len(ring))]
    for left, right in (EYES, features.BROWS, ((50, 101, 205, 36, 108), (280, 330, 425, 266, 337))):
        twin[list(left)], twin[list(right)] = right, left
    assert (twin[twin] == np.arange(478)).all()
    assert twin[234] == 454
    return twin


def test_a_mirrored_person_has_mirrored_parts(face: F32) -> None:
    """Within what sampling every other pixel for learning leaves: 0.4 % of the person on average, 0.5 % that change sides."""
    d = draw(face, hair=BLOND, long=True, light=0.6)
    points = face[twins()].copy()
    points[:, 0] = WIDE - 1 - points[:, 0]
    plain, _ = d.read()
    mirror, _ = parts.part(np.ascontiguousarray(d.colour[:, ::-1]), np.ascontiguousarray(d.matte[:, ::-1]), points, HW, d.inside)
    for name in PARTS:
        off = np.abs(mirror[name][:, ::-1] - plain[name])
        assert off.sum() < 0.004 * d.matte.sum(), name
        assert (off > 0.5).sum() < 0.005 * d.matte.sum(), name


def test_glasses_are_seen_where_they_are_drawn(face: F32) -> None:
    d = draw(face)
    frame = np.zeros((HIGH, WIDE), np.uint8)
    for rim in EYES:
        middle = face[list(rim), :2].mean(0)
        cv2.ellipse(frame, (round(float(middle[0])), round(float(middle[1]))), (26, 21), 0, 0, 360, 255, 5, cv2.LINE_AA)
    bridge = np.round(face[[133, 6, 362], :2]).astype(np.int32)
    bridge[:, 1] = bridge[:, 1].mean()
    cv2.line(frame, tuple(bridge[0].tolist()), tuple(bridge[2].tolist()), 255, 5, cv2.LINE_AA)
    for corner, ear in ((33, 234), (263, 454)):
        a, b = np.round(face[[corner, ear], :2]).astype(int).tolist()
        cv2.line(frame, tuple(a), (b[0], a[1]), 255, 5, cv2.LINE_AA)
    mask = frame.astype(np.float32)[..., None] / 255
    worn = replace(d, colour=d.colour * (1 - mask) + np.array([0.02, 0.02, 0.06], np.float32) * mask)
    off, on = d.read()[0]["glasses"], worn.read()[0]["glasses"]
    assert off.max() == 0
    over = sum(features.filled(face, one, (HIGH, WIDE), 5) for one in (*EYES, *features.BROWS))
    ring = (frame > 200) & (over == 0)
    assert on[ring].mean() > 0.7, on[ring].mean()
    assert on[cv2.dilate(frame, np.ones((11, 11))) == 0].sum() < 0.15 * on.sum()


def test_a_frame_that_comes_in_crumbs_is_none(face: F32) -> None:
    """A bridge, arms and an eighth of each rim in one colour, the rest in the skin's: no part of a frame is laid on the cheek."""
    d = draw(face)
    frame = np.zeros((HIGH, WIDE), np.uint8)
    for rim in EYES:
        middle = tuple(np.round(face[list(rim), :2].mean(0)).astype(int).tolist())
        cv2.ellipse(frame, middle, (26, 21), 0, 60, 105, 255, 5, cv2.LINE_AA)
    bridge = np.round(face[[133, 6, 362], :2]).astype(np.int32)
    cv2.line(frame, (int(bridge[0, 0]), int(bridge[1, 1])), (int(bridge[2, 0]), int(bridge[1, 1])), 255, 5, cv2.LINE_AA)
    mask = frame.astype(np.float32)[..., None] / 255
    worn = replace(d, colour=d.colour * (1 - mask) + np.array([0.02, 0.02, 0.06], np.float32) * mask)
    assert worn.read()[0]["glasses"].max() == 0


def test_dark_glass_ends_where_it_ends(face: F32) -> None:
    d = draw(face)
    glass = np.zeros((HIGH, WIDE), np.uint8)
    for rim in EYES:
        middle = tuple(np.round(face[list(rim), :2].mean(0)).astype(int).tolist())
        cv2.ellipse(glass, middle, (25, 16), 0, 0, 360, 255, cv2.FILLED, cv2.LINE_AA)
    ends = np.round(face[[133, 6, 362], :2]).astype(np.int32)
    cv2.line(glass, (int(ends[0, 0]), int(ends[1, 1])), (int(ends[2, 0]), int(ends[1, 1])), 255, 5, cv2.LINE_AA)
    for corner, ear in ((33, 234), (263, 454)):
        a, b = np.round(face[[corner, ear], :2]).astype(int).tolist()
        cv2.line(glass, tuple(a), (b[0], a[1]), 255, 5, cv2.LINE_AA)
    mask = glass.astype(np.float32)[..., None] / 255
    # A mirror of the window in it, lighter than the glass.
    shine = np.zeros_like(glass)
    for rim in EYES:
        middle = np.round(face[list(rim), :2].mean(0)).astype(int)
        cv2.line(shine, (int(middle[0]) + 8, int(middle[1]) - 6), (int(middle[0]) + 14, int(middle[1]) + 2), 255, 3, cv2.LINE_AA)
    black = np.array([0.006, 0.008, 0.01], np.float32) + shine.astype(np.float32)[..., None] / 255 * np.float32(0.2)
    found = replace(d, colour=d.colour * (1 - mask) + black * mask).read()[0]["glasses"]
    assert found[(glass > 250)].mean() > 0.85
    assert found[cv2.dilate(glass, np.ones((13, 13))) == 0].sum() < 0.02 * found.sum()


def test_brows_and_teeth_are_looked_for_not_assumed(face: F32) -> None:
    """A shaven brow is none, and a closed mouth shows no teeth, whatever the mesh says."""
    d = draw(face)
    found, _ = d.read()
    assert found["brows"].sum() > 0.5 * sum(features.filled(face, ring, (HIGH, WIDE)).sum() for ring in features.BROWS)
    flat = d.colour.copy()
    for ring in features.BROWS:
        flat /= 1 - 0.7 * cv2.GaussianBlur(features.filled(face, ring, (HIGH, WIDE)), (0, 0), 0.7)[..., None]
    bald = parts.part(flat.astype(np.float32), d.matte, face, HW, d.inside)[0]
    assert bald["brows"].sum() < 0.1 * found["brows"].sum()
    shut = face.copy()
    shut[[13, 312, 311, 310, 80, 81, 82, 191, 415]] = shut[[14, 317, 402, 318, 88, 178, 87, 95, 324]]
    assert parts.part(d.colour, d.matte, shut, HW, d.inside)[0]["teeth"].sum() == 0
    assert found["eyes"].sum() > 0.9 * sum(features.filled(face, ring, (HIGH, WIDE)).sum() for ring in EYES)


def test_a_hand_is_taken_from_the_skin(face: F32, monkeypatch: pytest.MonkeyPatch) -> None:
    d = draw(face, bare=True)
    at = np.array([420.0, 640.0])
    x = (0, -14, -26, -34, -40, -10, -12, -13, -14, 2, 2, 2, 2, 12, 14, 15, 16, 22, 26, 29, 31)
    y = (0, -12, -26, -38, -48, -40, -60, -74, -86, -42, -64, -80, -92, -40, -60, -74, -86, -34, -50, -62, -72)
    fan = np.stack([x, y], 1)
    hand = (at + fan).astype(np.float32)
    monkeypatch.setattr(hands, "read", lambda colour, hw_px: [hand])
    found, _ = d.read()
    zone = hands.zone([hand], (HIGH, WIDE))
    assert found["hands"][zone > 0.5].mean() > 0.8
    assert found["hands"][cv2.dilate(zone, np.ones((21, 21))) == 0].sum() == 0
    assert np.abs(sum(found[name] for name in WHOLE) - 1).max() < 1e-3


def test_hair_that_leaves_the_photo_ends_above_its_edge(face: F32) -> None:
    """Where the photo cuts long hair it thins out before the cut; what it leaves is cloth, and no hair hangs below the photo."""
    d = draw(face, hair=RED, long=True)
    inside, colour, last = d.inside.copy(), d.colour.copy(), 480
    inside[last:], colour[last:] = 0, colour[last - 1]
    matte = d.matte.copy()
    matte[last:] = matte[last - 1]
    found, _ = parts.part(colour, matte, face, HW, inside)
    whole = d.read()[0]["hair"]
    falls = [float(found["hair"][last - round(up * HW)].sum() / whole[last - round(up * HW)].sum()) for up in (0.9, 0.35, 0.12, 0.02)]
    assert min(falls[:2]) > 0.98
    assert 0.2 < falls[2] < 0.9
    assert falls[3] < 0.05
    assert found["hair"][last:].max() < 0.1
    assert np.abs(sum(found[name] for name in WHOLE) - 1).max() < 1e-3


def test_a_mixture_finds_the_gaussians_it_was_drawn_from() -> None:
    rng = np.random.default_rng(1)
    centres = np.array([[0, 0], [4, 1], [-1, 5]], float)
    x = np.concatenate([c + rng.normal(0, s, (4000, 2)) for c, s in zip(centres, (0.4, 0.7, 0.5), strict=True)]).astype(np.float32)
    m = mixtures.fit(x, np.ones(len(x), np.float32), 3, np.full(2, 0.01), rounds=20)
    order = [int(np.argmin(((m.means - c) ** 2).sum(1))) for c in centres]
    assert sorted(order) == [0, 1, 2]
    assert np.abs(m.means[order] - centres).max() < 0.05
    assert np.abs(m.weights - 1 / 3).max() < 0.01
    assert np.abs(np.sqrt(m.covariances[order][:, 0, 0]) - (0.4, 0.7, 0.5)).max() < 0.03
    # A density integrates to one.
    g = np.stack(np.meshgrid(np.linspace(-6, 9, 601), np.linspace(-5, 10, 601)), -1).reshape(-1, 2).astype(np.float32)
    assert abs(np.exp(m.log_density(g)).sum() * 0.025**2 - 1) < 2e-3
    assert np.allclose(m.shares(x[:50]).sum(1), 1, atol=1e-6)


def test_the_walk_solves_its_system_and_stops_at_edges() -> None:
    """Against a dense solve of the same equations; and a wall in the guide keeps labels apart where nothing is known."""
    rng = np.random.default_rng(2)
    h, w = 9, 12
    where = np.flatnonzero(rng.random(h * w) > 0.15)
    guide = rng.normal(0, 0.6, (len(where), 2)).astype(np.float32)
    guess = rng.dirichlet(np.ones(3), len(where)).astype(np.float32)
    trust = rng.uniform(0.02, 0.5, len(where)).astype(np.float32)
    tied = walk.graph(guide, where, (h, w))
    full = np.zeros((len(where), len(where)))
    for i, (near, weight) in enumerate(zip(tied.near, tied.weights, strict=True)):
        for j, one in zip(near, weight, strict=True):
            dy, dx = abs(where[i] // w - where[j] // w), abs(where[i] % w - where[j] % w)
            assert one == 0 or max(dy, dx) == 1
            full[i, j] += one
            full[j, i] += one
    laplace = np.diag(full.sum(1)) - full
    exact = np.linalg.solve(laplace + np.diag(trust), trust[:, None] * guess)
    found = walk.walk(tied, guess, trust, tolerance=1e-6, most=400)
    assert np.abs(found - exact).max() < 1e-4
    assert np.abs(found.sum(1) - 1).max() < 1e-5

    wall = np.where(np.arange(40) < 20, 0, 9).astype(np.float32)
    guess = np.full((40, 2), 0.5, np.float32)
    guess[0], guess[-1] = (1, 0), (0, 1)
    sure = np.zeros(40, np.float32)
    sure[[0, -1]] = 10
    p = walk.walk(walk.graph(wall[:, None], np.arange(40), (1, 40)), guess, sure, tolerance=1e-7, most=2000)
    assert p[:20, 0].min() > 0.9
    assert p[20:, 0].max() < 0.1


def test_enlarging_keeps_what_is_flat_and_follows_the_edges() -> None:
    small = np.zeros((40, 40, 3), np.float32)
    small[:, 20:] = 1
    large = np.zeros((160, 160, 3), np.float32)
    large[:, 80:] = 1
    p = np.zeros((40, 40, 2), np.float32)
    p[:, :20, 0] = 1
    p[..., 1] = 0.3
    p[:, 18:22, 0] = 0.5  # blurred at the border
    out = walk.enlarge(p, small, large, 4, 1e-4)
    assert np.abs(out[..., 1] - 0.3).max() < 1e-3
    assert out[20:140, 60:80, 0].min() > 0.7
    assert out[20:140, 80:100, 0].max() < 0.3


# Facts about real people. One plate each, read as the program reads it.


@lru_cache(maxsize=8)
def plate_of(path: Path) -> Plate:
    return scan(photo.read(path))


def share(plate: Plate, name: str, low: float, high: float, wide: float = 0.6) -> float:
    """Share of a part among the person's pixels within `wide` hw of the face's middle, from low to high above the chin (hw)."""
    h, w = plate.matte.shape
    y, x = np.mgrid[:h, :w]
    u = (x - plate.landmarks[[234, 454], 0].mean()) / plate.hw_px
    v = (plate.landmarks[152, 1] - y) / plate.hw_px
    zone = (np.abs(u) < wide) & (v > low) & (v < high) & (plate.matte > 0.9) & (plate.inside > 0.5)
    return float(plate.parts[name][zone].mean())


def test_a_hijab_is_cloth_and_the_hand_before_it_a_hand(shared: Path) -> None:
    plate = plate_of(shared / "data/portraits/real/woman_hijab.jpg")
    assert share(plate, "hair", -0.5, 2.0) < 0.02
    assert share(plate, "cloth", 1.35, 1.8) > 0.85  # over the forehead
    assert share(plate, "cloth", -0.4, -0.1, 0.3) > 0.9  # under the chin
    assert share(plate, "skin", 0.3, 0.9, 0.25) > 0.95
    assert 0.05 < plate.parts["hands"].sum() / plate.hw_px**2 < 0.5


@pytest.mark.parametrize("who", ["ictA_yaw0", "lps_yaw0", "lpsdark_yaw-20"])
def test_bald_heads_with_bare_shoulders_are_skin(who: str, shared: Path) -> None:
    plate = plate_of(shared / f"data/ground_truth/{who}/input.png")
    person = (plate.matte * plate.inside).sum()
    assert (plate.parts["hair"] * plate.inside).sum() < 0.005 * person
    assert (plate.parts["cloth"] * plate.inside).sum() < 0.03 * person
    assert plate.confidence > 0.85


def test_a_suit_is_cloth_and_short_hair_ends_at_the_ears(shared: Path) -> None:
    plate = plate_of(shared / "data/portraits/real/obama_2012.jpg")
    assert share(plate, "hair", 1.42, 1.6, 0.3) > 0.9
    assert share(plate, "hair", -1.5, 0.3, 1.5) < 0.02
    assert share(plate, "cloth", -1.4, -0.6, 0.8) > 0.97
    assert share(plate, "skin", 0.2, 1.0, 0.35) > 0.97
    assert plate.parts["teeth"].sum() > 0.005 * plate.hw_px**2


def test_locs_hang_past_the_jaw_and_the_throat_between_is_skin(shared: Path) -> None:
    plate = plate_of(shared / "data/portraits/real/man_long_hair.jpg")
    assert share(plate, "hair", -0.3, 0.3, 1.2) > 0.3
    assert share(plate, "skin", -0.45, -0.15, 0.2) > 0.9
    assert share(plate, "cloth", -1.0, -0.75, 0.8) > 0.9


def test_blue_glasses_under_grey_hair(shared: Path) -> None:
    plate = plate_of(shared / "data/portraits/real/old_man_blue_glasses.jpg")
    assert 0.01 < plate.parts["glasses"].sum() / plate.hw_px**2 < 0.08
    assert share(plate, "hair", 1.45, 1.7, 0.3) > 0.8
    assert share(plate, "skin", 1.05, 1.25, 0.25) > 0.9


def test_a_helmet_ring_is_cloth_up_to_the_jaw(astronaut_plate: Plate) -> None:
    assert share(astronaut_plate, "cloth", -0.8, -0.25, 0.7) > 0.95
    assert share(astronaut_plate, "hair", 1.25, 1.6, 0.4) > 0.9
    assert share(astronaut_plate, "hair", -1.0, 0.2, 1.0) < 0.02
    assert float((luminance(astronaut_plate.colour) * astronaut_plate.parts["teeth"]).sum()) > 0

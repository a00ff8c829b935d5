"""Laws of dressing, on a made person whose every measure is known."""

from __future__ import annotations

import dataclasses
from typing import Any

import cv2
import numba
import numpy as np
import pytest

from lowkey.darkroom import draped, figure, neck, seams, shoulders, teeth
from lowkey.darkroom.dress import dress, honours
from lowkey.darkroom.enlarger import dressing
from lowkey.darkroom.knit import fabric
from lowkey.darkroom.subject import Subject
from lowkey.frame import Placement
from lowkey.photo import Photo
from lowkey.pixels import luminance
from lowkey.plate.meshes import OVAL
from lowkey.plate.plate import PARTS, FoundLight, Plate, Pose
from lowkey.rig import Cloth

HW = 160.0
WIDE, HIGH = 680, 760
EYE_X, CHIN_Y = 340.0, 330.0
TURTLENECK, LEATHER, LINEN = Cloth("turtleneck", 0.04), Cloth("leather", 0.04), Cloth("linen", 0.75)
MAPS = ("matte", "albedo", "depth", "normal", "skin", "hair", "cloth", "eyes", "roughness", "specular", "sheen")
FACE = np.array([0.55, 0.36, 0.27], np.float32)


def person(
    *, turn: float = 0.06, ring: bool = False, long_hair: bool = False, hand: bool = False, wrap: bool = False, bare: bool = False,
    below: int = HIGH, lip: bool = False, broad: float = 1.62,
) -> Plate:  # fmt: skip
    """A head, a neck and sloping shoulders in a white shirt. `turn` moves the chin to frame-right (hw); `below` ends the photo.

    `broad` is half its breadth at the shoulders (hw).
    """
    y, x = np.mgrid[0:HIGH, 0:WIDE].astype(np.float32)
    u, v = (x - EYE_X) / np.float32(HW), (y - CHIN_Y) / np.float32(HW)
    # The jaw: an ellipse whose lower end is shifted by the turn.
    shift = np.float32(turn) * np.clip(1 + v / 1.3, 0, 1)
    face = ((u - shift) / 0.5) ** 2 + ((v + 0.75) / 0.75) ** 2
    skull = (u / 0.58) ** 2 + ((v + 0.85) / 0.85) ** 2
    neck_in = (np.abs(u) < 0.37) & (v > -0.5) & (v < 0.5)
    body = v > 0.30 + 0.36 * (np.abs(u) - 0.42) + 0.4 * np.clip(np.abs(u) - (np.float32(broad) - 0.33), 0, 9) ** 2 * 8
    body &= np.abs(u) < broad + 0.03 * np.clip(v - 1.2, 0, 2)  # arms hang a little outward
    around = ((u / 0.85) ** 2 + ((v - 0.25) / 0.30) ** 2 < 1) if ring else np.zeros_like(body)
    locks = (np.abs(np.abs(u) - 0.62) < 0.12) & (v > -0.9) & (v < 0.75) if long_hair else np.zeros_like(body)
    fist = ((u - 0.75) ** 2 + (v - 0.75) ** 2 < 0.22**2) if hand else np.zeros_like(body)
    veil = ((skull < 1.5) | ((u / 0.7) ** 2 + (v / 0.55) ** 2 < 1)) & (face >= 1) if wrap else np.zeros_like(body)

    def soft(a: Any) -> Any:
        return cv2.GaussianBlur(np.asarray(a, np.float32), (0, 0), 0.8)

    matte = soft((face < 1) | (skull < 1) | neck_in | body | around | locks | fist | veil)
    part = {name: np.zeros((HIGH, WIDE), np.float32) for name in PARTS}
    top = np.maximum(soft((skull < 1) & (face >= 1) & (v < -0.5)), soft(locks))
    part["hands"] = soft(fist) * matte
    part["hair"] = top * matte * (1 - part["hands"]) * (0 if wrap else 1)
    skin = (face < 1) | (neck_in & ~body & ~around) | (body if bare else np.zeros_like(body)) | ((skull < 1) & (v > -0.55))
    part["skin"] = np.clip(soft(skin & ~veil) * matte - part["hair"] - part["hands"], 0, 1)
    part["cloth"] = np.clip(matte - part["skin"] - part["hair"] - part["hands"], 0, 1)
    part["background"] = 1 - matte

    albedo = np.empty((HIGH, WIDE, 3), np.float32)
    albedo[:] = (0.82, 0.84, 0.88)
    albedo[np.abs(u) < 0.08] = (0.05, 0.08, 0.4)
    albedo *= (1 + 0.06 * np.sin(x) * np.sin(y))[..., None]
    if ring:
        albedo[around] = (0.9, 0.3, 0.1)
    for name, colour in (("skin", FACE), ("hands", FACE), ("hair", np.array([0.06, 0.04, 0.03], np.float32))):
        albedo += part[name][..., None] * (colour * (1 + 0.04 * np.sin(0.5 * x) * np.cos(0.4 * y))[..., None] - albedo)
    if wrap:
        albedo[veil] = (0.5, 0.25, 0.3)

    depth = np.where(face < 1, 0.45 - 0.3 * face, np.where(skull < 1, 0.05 - 0.3 * skull, -0.05 - 0.25 * u * u)).astype(np.float32)
    depth = cv2.GaussianBlur(depth, (0, 0), 1.5)
    gx, gy = neck.slopes(depth, HW)
    normal = neck.facing(np.clip(gx, -3, 3), np.clip(gy, -3, 3))
    if lip:
        normal[(face > 0.97) & (face < 1.03) & (v > -0.4)] = (0, 0.8, 0.6)

    mesh = np.zeros((478, 3), np.float32)
    mesh[:] = (EYE_X, CHIN_Y - 0.8 * HW, 0.4 * HW)

    def put(index: int, px: float, py: float, pz: float) -> None:
        mesh[index] = (EYE_X + px * HW, CHIN_Y + py * HW, pz * HW)

    for i, angle in enumerate(np.linspace(-1.45, 1.45, len(neck.JAW))):
        py = -0.75 + 0.75 * np.cos(angle)
        put(neck.JAW[i], 0.5 * np.sin(angle) + turn * np.clip(1 + py / 1.3, 0, 1), py, 0.45 * np.cos(angle))
    for index, px, py in (
        (10, 0, -1.45),
        (9, 0, -1.1),
        (1, 0.9 * turn, -0.6),
        (13, turn, -0.35),
        (151, 0, -1.25),
        (50, -0.3, -0.6),
        (280, 0.3, -0.6),
    ):
        put(index, px, py, 0.45)
    put(234, -0.5, -0.8, 0.0)
    put(454, 0.5, -0.8, 0.0)

    inside = np.ones((HIGH, WIDE), np.float32)
    inside[below:] = 0
    photo = Photo(np.zeros((2, 2, 3), np.uint8), "0" * 64)
    return Plate(
        photo, Placement(1, 0, 0), HW, mesh, Pose(0, 0, 0), inside, albedo, matte, part, depth, normal, albedo,
        FoundLight(0, 0, 0, False, 0, 0), 1.0, (), {},
    )  # fmt: skip


def hw(subject_or_plate: Subject | Plate) -> tuple[Any, Any]:
    """x and y (hw) from between the ears and from the chin."""
    y, x = np.mgrid[0:HIGH, 0:WIDE].astype(np.float32)
    return (x - EYE_X) / HW, (y - CHIN_Y) / HW


CLOTHS = (TURTLENECK, LEATHER, LINEN, Cloth("as-worn", 0.05))


@pytest.fixture(scope="module")
def plate() -> Plate:
    return person()


@pytest.fixture(scope="module")
def worn(plate: Plate) -> dict[str, Subject]:
    return {c.kind: dress(plate, c) for c in CLOTHS}


def face_of(plate: Plate) -> Any:
    """Skin pixels safely above the jaw, within the mesh's outline: what lies beside it is given an ear's form."""
    oval = np.round(plate.landmarks[list(OVAL), :2]).astype(np.int32)
    within = cv2.fillPoly(np.zeros(plate.matte.shape, np.uint8), [oval], 1) > 0
    return within & (neck.keep(plate).below < -seams.TURNS_HW) & (plate.parts["skin"] > 0.999) & (hw(plate)[1] > -1.3)


@pytest.mark.parametrize("kind", ["turtleneck", "leather", "linen", "as-worn"])
def test_no_garment_touches_the_face(plate: Plate, worn: dict[str, Subject], kind: str) -> None:
    face = face_of(plate)
    assert face.sum() > 10_000
    # Retouched or not: what is retouched is no garment's doing.
    bare = dress(plate, next(c for c in CLOTHS if c.kind == kind), retouched=False)
    assert np.abs(bare.albedo[face] - plate.albedo[face]).max() < 1e-6
    assert np.abs(worn[kind].normal[face] - plate.normal[face]).max() < 1e-5
    assert np.abs(worn[kind].matte[face] - plate.matte[face]).max() < 2e-3


@pytest.mark.parametrize("cloth", [TURTLENECK, LEATHER, LINEN, Cloth("turtleneck", 0.02), Cloth("as-worn", 0.05)])
def test_cloth_has_the_reflectance_that_was_asked(plate: Plate, cloth: Cloth) -> None:
    s = dress(plate, cloth)
    seen = (s.cloth > 0.9) & (s.matte > 0.9)
    assert seen.mean() > 0.2
    assert luminance(s.albedo)[seen].mean() == pytest.approx(cloth.reflectance, rel=0.10)


def test_the_shirt_of_the_photo_leaves_no_trace(plate: Plate, worn: dict[str, Subject]) -> None:
    was_shirt = (luminance(plate.albedo) > 0.7) & (plate.matte > 0.9)
    s = worn["turtleneck"]
    # A crisp stitch or two in a thousand is as bright as paper; a shirt is all over.
    assert np.percentile(luminance(s.albedo)[was_shirt & (s.matte > 0.5)], 99.8) < 0.4
    # And where cloth covers fully nothing of the shirt shines through: over a black one the jersey is the same.
    black = dress(dataclasses.replace(plate, albedo=np.where(was_shirt[..., None], np.float32(0.02), plate.albedo)), TURTLENECK)
    full = was_shirt & (s.cloth > 0.99) & (s.matte > 0.99)
    assert full.sum() > 50_000
    assert np.abs(luminance(s.albedo) - luminance(black.albedo))[full].max() < 1e-6


@pytest.mark.parametrize("kind", ["turtleneck", "leather", "linen"])
def test_nothing_sprouts(plate: Plate, worn: dict[str, Subject], kind: str) -> None:
    u, v = hw(plate)
    new = (worn[kind].matte > 0.5) & (cv2.dilate(plate.matte, np.ones((9, 9))) < 0.5)
    collar = (np.abs(u) < 0.62) & (v > -0.4) & (v < 0.6)
    # Shoulders are as broad as a long lens sees them: so much may stand beside the photo's own, and no more.
    broader = (shoulders.LENS - 1) * 1.62
    side = 2 * round(broader * HW) + 9
    near = cv2.dilate(plate.matte, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))) > 0.5
    assert not (new & ~collar & ((v < 0.4) | ~near)).any()
    assert (np.abs(u)[(worn[kind].matte > 0.5) & (v > 0)]).max() < 1.72 + broader


def test_a_helmet_ring_becomes_background() -> None:
    plate = person(ring=True)
    u, v = hw(plate)
    beside = (np.abs(u) > 0.68) & (np.abs(u) < 0.8) & (v > 0.15) & (v < 0.2)
    assert plate.matte[beside].min() > 0.9
    assert dress(plate, TURTLENECK).matte[beside].max() < 0.1


@pytest.mark.parametrize("kind", ["turtleneck", "leather", "linen"])
def test_normals_are_unit_and_agree_with_depth(worn: dict[str, Subject], kind: str) -> None:
    s = worn[kind]
    u, v = hw(s)
    length = np.linalg.norm(s.normal, axis=2)
    # Two pixels of feather mix normals of two sheets; everywhere else they have length one.
    assert np.quantile(np.abs(length - 1)[s.matte > 0.9], 0.97) < 0.02
    assert (s.normal[..., 2][s.matte > 0.5] > 0).all()
    right, down = neck.slopes(cv2.GaussianBlur(s.depth, (0, 0), 4), HW)
    chest = (np.abs(u) < 1.0) & (v > 1.0) & (v < 2.2)
    of_depth = neck.facing(right, down)
    of_normal = cv2.GaussianBlur(s.normal, (0, 0), 4)
    of_normal /= np.maximum(np.linalg.norm(of_normal, axis=2, keepdims=True), 1e-6)
    angle = np.degrees(np.arccos(np.clip((of_depth * of_normal).sum(2), -1, 1)))[chest]
    assert np.median(angle) < 5
    assert np.quantile(angle, 0.9) < 14


def test_depth_steps_only_where_cloth_does(worn: dict[str, Subject]) -> None:
    s = worn["turtleneck"]
    u, v = hw(s)
    chest = (np.abs(u) < 1.0) & (v > 0.75) & (v < 2.2)
    for axis in (0, 1):
        jump = np.abs(np.diff(s.depth, axis=axis, prepend=s.depth.take([0], axis)))
        assert jump[chest].max() < 0.02
    # Chin over throat, collar over the body below it.
    column = round(EYE_X + 0.06 * HW)
    at = {name: float(s.depth[round(CHIN_Y + y * HW), column]) for name, y in (("chin", -0.06), ("collar", 0.30), ("chest", 0.62))}
    assert at["chin"] > at["collar"] + 0.10
    hem = s.depth[round(CHIN_Y + 0.35 * HW) : round(CHIN_Y + 0.62 * HW), column]
    assert np.diff(hem).min() < -0.008


def test_a_lip_along_the_jaw_is_healed() -> None:
    plate = person(lip=True)
    lip = (plate.normal[..., 1] > 0.79) & (neck.keep(plate).below > -0.03) & (neck.keep(plate).below < -0.004)
    assert lip.sum() > 50
    assert (dress(plate, TURTLENECK).normal[..., 1][lip] > 0.3).mean() < 0.02


@pytest.mark.parametrize("cloth", [TURTLENECK, LEATHER, LINEN])
def test_a_mirrored_person_is_dressed_mirrored(cloth: Cloth) -> None:
    a, b = dress(person(turn=0.08), cloth), dress(person(turn=-0.08), cloth)
    for name in ("matte", "depth", "skin", "cloth"):
        one, two = getattr(a, name), getattr(b, name)[:, ::-1]
        both = (a.matte > 0.9) & (b.matte[:, ::-1] > 0.9) if name == "depth" else np.ones_like(a.matte, bool)
        shifted = np.roll(two, 1, 1)  # the made person's axis lies on a pixel, so the mirror is one column off
        assert np.abs(one - shifted)[both].mean() < 0.008, name
    flipped = np.roll(b.normal[:, ::-1] * np.array([-1, 1, 1], np.float32), 1, 1)
    chest = (a.matte > 0.9) & (np.abs(a.normal - flipped).max(2) < 9) & (hw(a)[1] > 0.8)
    assert np.abs(cv2.GaussianBlur(a.normal, (0, 0), 3) - cv2.GaussianBlur(flipped, (0, 0), 3))[chest].mean() < 0.012


@pytest.mark.parametrize("cloth", [TURTLENECK, LEATHER, LINEN, Cloth("as-worn", 0.05)])
def test_same_bytes_for_any_thread_count(plate: Plate, worn: dict[str, Subject], cloth: Cloth) -> None:
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        again = dress(plate, cloth)
    finally:
        numba.set_num_threads(before)
    for name in MAPS:
        assert getattr(again, name).tobytes() == getattr(worn[cloth.kind], name).tobytes(), name
        assert not getattr(again, name).flags.writeable


def test_long_hair_falls_over_the_collar() -> None:
    plate = person(long_hair=True)
    s, without = dress(plate, TURTLENECK), dress(person(), TURTLENECK)
    u, v = hw(plate)
    beside = np.abs(np.abs(u) - 0.62) < 0.08
    lock = beside & (v > 0.15) & (v < 0.38)
    assert s.hair[lock].min() > 0.9
    # It ends at .75 in the photo, and thins out toward that; the first strands end half a head above.
    assert s.hair[beside & (v > 0.68) & (v < 0.74)].mean() < 0.6
    assert luminance(s.albedo)[lock].max() < 0.12
    assert (s.depth[lock] > without.depth[lock]).mean() > 0.98


def test_hands_stay_in_front_with_their_own_skin() -> None:
    plate = person(hand=True)
    u, v = hw(plate)
    fist = (u - 0.75) ** 2 + (v - 0.75) ** 2 < 0.18**2
    s, without = dress(plate, TURTLENECK), dress(person(), TURTLENECK)
    # Its own skin, held under the face's by two thirds of a stop: one tone for all of it, and no other hue.
    held = s.albedo[fist] / plate.albedo[fist]
    assert held.mean() == pytest.approx(draped.HELD, abs=0.05)
    assert np.ptp(held) < 0.03
    assert s.skin[fist].min() > 0.99
    assert (s.depth[fist] > without.depth[fist] + 0.03).all()


def test_a_wrap_stays_and_the_garment_begins_below_it() -> None:
    plate = person(wrap=True)
    kept = neck.keep(plate)
    u, v = hw(plate)
    beside = (np.abs(u) > 0.48) & (np.abs(u) < 0.56) & (v > -0.25) & (v < 0.2)
    assert kept.wrap[beside].min() > 0.95
    s = dress(plate, TURTLENECK)
    ratio = s.albedo[beside] / plate.albedo[beside]
    # Its own hue all over; darker the further it lies within its outline, toward the face.
    assert np.ptp(ratio, axis=-1).max() < 0.02
    assert 0.05 < ratio.min() <= ratio.max() <= 0.8
    inner, outer = (float(ratio[near].mean()) for near in (np.abs(u[beside]) < 0.50, np.abs(u[beside]) > 0.54))
    assert inner < 0.98 * outer
    chest = (np.abs(u) < 0.8) & (v > 1.0) & (v < 2.0)
    assert kept.wrap[chest].max() == 0
    assert luminance(s.albedo)[chest].mean() < 0.06


def test_a_cap_is_not_a_scarf(plate: Plate) -> None:
    part = dict(plate.parts)
    cap = part["hair"] * (hw(plate)[1] < -1.2)
    part["cloth"], part["hair"] = part["cloth"] + cap, part["hair"] - cap
    capped = dataclasses.replace(plate, parts=part)
    kept = neck.keep(capped)
    assert np.quantile(kept.wrap[cap > 0.9], 0.1) > 0.85
    assert not neck.measure(capped, kept.wrap).covered
    assert dress(capped, TURTLENECK).matte[cap > 0.99].min() > 0.99


def test_below_the_photo_the_garment_goes_on() -> None:
    s = dress(person(below=560), TURTLENECK)
    u, v = hw(s)
    under = (np.abs(u) < 1.1) & (v > 1.5)
    assert s.matte[under].min() > 0.99
    assert s.cloth[under].min() > 0.99
    assert s.albedo[under].std() > 0.001


@pytest.mark.parametrize(("kind", "bare", "answer"), [
    ("turtleneck", False, "yes"), ("leather", False, "yes"), ("linen", False, "yes"), ("as-worn", False, "kept from photo"),
    ("bare", False, "no"), ("bare", True, "kept from photo"),
])  # fmt: skip
def test_what_it_cannot_do_it_says(kind: str, bare: bool, answer: str) -> None:
    assert honours(person(bare=bare), Cloth(kind, 0.04)) == answer


def test_bare_shoulders_refused_are_as_worn(plate: Plate) -> None:
    assert dress(plate, Cloth("bare", 0.05)).albedo.tobytes() == dress(plate, Cloth("as-worn", 0.05)).albedo.tobytes()


def test_what_dressing_changes_of_the_person_is_listed(plate: Plate, worn: dict[str, Subject]) -> None:
    painted, formed, *hairs, strung = dressing(plate, worn["turtleneck"])
    # Hair of one tone is given depth, and its line single roots.
    assert [(edit.unit, 0 < edit.size < 3) for edit in hairs] == [("scene stops", True), ("share", True)][: len(hairs)]
    assert hairs
    # The made person's hair is of one tone: all of it lacks strands, but at its line against skin.
    assert strung.unit == "share"
    assert 0.3 < strung.size <= 1
    assert formed.unit == "share"
    # The made person's mesh is narrower than its face: on people it is 1 to 6 hundredths.
    assert 0 < formed.size < 0.3
    assert painted.unit == "share"
    assert 0 < painted.size < 0.2
    darkened = Cloth("as-worn", 0.5 * float(np.median(luminance(plate.albedo)[plate.parts["cloth"] > 0.9])))
    *_, own = dressing(plate, dress(plate, darkened))
    assert own.unit == "scene stops"
    assert own.size == pytest.approx(-1, abs=0.2)
    assert dressing(plate, dress(plate, Cloth("own"))) == ()


def test_as_worn_keeps_the_weave(plate: Plate, worn: dict[str, Subject]) -> None:
    u, v = hw(plate)
    chest = (np.abs(u) > 0.2) & (np.abs(u) < 0.9) & (v > 1.0) & (v < 2.0)
    before, after = (np.log(luminance(a)[chest]) for a in (plate.albedo, worn["as-worn"].albedo))
    assert np.corrcoef(before, after)[0, 1] > 0.95
    assert after.std() == pytest.approx(before.std(), rel=0.25)


def test_an_open_shirt_shows_skin_only_where_the_photo_does() -> None:
    shut, open_ = person(), person(bare=True)
    u, v = hw(shut)
    vee = (np.abs(u) < 0.04) & (v > 0.36) & (v < 0.50)
    assert dress(shut, LINEN).skin[vee].max() < 0.05
    s = dress(open_, LINEN)
    assert s.skin[vee].min() > 0.9
    assert np.abs(np.log(s.albedo[vee].mean(0) / FACE)).max() < 0.25


def test_skin_has_zones_of_finish(plate: Plate, worn: dict[str, Subject]) -> None:
    s = worn["turtleneck"]
    at = {name: (round(plate.landmarks[i, 1]), round(plate.landmarks[i, 0])) for name, i in (("brow", 151), ("cheek", 50))}
    assert s.roughness[at["brow"]] == pytest.approx(0.36, abs=0.02)
    assert s.roughness[at["cheek"]] == pytest.approx(0.46, abs=0.02)
    face = face_of(plate)
    # The inner corners of the eyes have hardly a gland.
    corners = np.zeros_like(face)
    for ring in (figure.CANTHI[:3], figure.CANTHI[3:]):
        x, y = plate.landmarks[list(ring), :2].mean(0)
        ys, xs = np.indices(face.shape)
        corners |= np.hypot(xs - x, ys - y) < 0.14 * plate.hw_px
    assert s.specular[face & ~corners & (teeth.between(plate) < 0.01)].min() >= 0.027
    assert s.specular[face & corners].min() < 0.02
    assert s.specular[face].max() <= 0.041
    u, v = hw(s)
    chest = (np.abs(u) < 0.8) & (v > 1.2) & (v < 2.0)
    assert s.specular[chest].max() == 0
    # Loose fibre lies on wool alone, and a flag before the chest keeps light off both.
    shoulder = (np.abs(np.abs(u) - 1.0) < 0.1) & (s.cloth > 0.99) & (v < 0.75)
    assert s.sheen[shoulder].mean() > 3 * s.sheen[chest].mean() > 0
    jacket = worn["leather"]
    assert np.median(jacket.specular[chest & (np.abs(u) > 0.4)]) == pytest.approx(0.05, abs=0.005)
    assert np.median(jacket.roughness[chest & (np.abs(u) > 0.4)]) == pytest.approx(0.35, abs=0.03)


def test_a_knit_is_neither_a_tile_nor_a_moire() -> None:
    y, x = np.mgrid[0:220, 0:220].astype(np.float32)
    everywhere = np.ones_like(x)
    drawn, _ = fabric(x / 11, y / 9, everywhere, ribbed=False, stream=1)
    assert drawn.std() > 0.12
    # Ten wales and ten courses further on, the same stitch is not the same yarn.
    assert np.corrcoef(drawn[:110, :110].ravel(), drawn[90:200, 110:].ravel())[0, 1] < 0.97
    # Where stitches run faster than pixels, nothing may beat against the grid.
    for ribbed in (False, True):
        fine, tone = fabric(x / 2.2, y / 2.2, everywhere, ribbed=ribbed, stream=1)
        assert np.ptp(fine) == 0
        assert np.ptp(tone) == 0


def test_the_roll_neck_is_no_ruled_tube(worn: dict[str, Subject]) -> None:
    """The collar's outer edges are curves that open downward: they do not run straight down from under the jaw's corners to the hem."""
    s = worn["turtleneck"]
    rows = range(round(CHIN_Y - 0.08 * HW), round(CHIN_Y + 0.17 * HW), 2)
    for side in (-1, 1):
        edge = []
        for r in rows:
            line = s.matte[r, round(EYE_X) :] if side > 0 else s.matte[r, : round(EYE_X)][::-1]
            edge.append(float(np.argmax(line < 0.5)))
        fit = np.polyval(np.polyfit(range(len(edge)), edge, 1), range(len(edge)))
        assert np.abs(np.array(edge) - fit).max() > 1.5
        assert edge[-1] > edge[0] + 4


@pytest.mark.parametrize("cloth", [TURTLENECK, LINEN], ids=["turtleneck", "linen"])
def test_a_raised_hand_ends_in_a_sleeve(cloth: Cloth) -> None:
    s = dress(person(hand=True), cloth)
    u, v = hw(s)
    below_it = (np.abs(u - 0.75) < 0.08) & (v > 0.98) & (v < 1.25)
    assert s.cloth[below_it].min() > 0.95
    assert luminance(s.albedo)[below_it].mean() == pytest.approx(cloth.reflectance, rel=0.35)
    # It stands off the body as the hand does, and the knuckles stay bare.
    body = (np.abs(u + 0.75) < 0.08) & (v > 0.98) & (v < 1.1)
    assert s.depth[below_it & (v < 1.1)].mean() > s.depth[body].mean()
    assert s.skin[(np.abs(u - 0.75) < 0.06) & (v > 0.58) & (v < 0.75)].min() > 0.9

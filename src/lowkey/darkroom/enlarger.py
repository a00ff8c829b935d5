"""The darkroom's five straight lines, and an Enlarger that keeps what did not change between two renders."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

import cv2
import numpy as np

from lowkey.darkroom import aiming, backdrop, compose, dodge, dress, film, light, loose, optics, planes, pores, strands
from lowkey.darkroom.subject import Subject
from lowkey.frame import Edit, Frame, Framing, Placement, Shot
from lowkey.look import Look
from lowkey.pixels import F32, freeze, luminance
from lowkey.plate import balance, meshes, posture
from lowkey.plate.albedo import chroma_shift
from lowkey.plate.plate import Plate
from lowkey.rig import Auto, Cloth, Direction, Rig, jittered, leans
from lowkey.seeds import Streams
from lowkey.together import both

VERSION = "darkroom 1"

SKIN_CHROMA_BOUND = 4.0
"""Most that taking the old light off may shift the skin's chroma, in CIEDE2000 at equal lightness."""

LIT_SKIN_EV = 0.22
"""Exposure over the meter: lit skin's mode at L* 50 to 60, its brightest at 70 to 80, as in low-key photographs and paintings (20 to 65
and 52 to 81 on seven). Blind jurors chose .25 over .10 in 12 of 14 pairs, and the brighter one again up to .42; the promise's highlight
stays under 215 codes at this. Half a stop over the meter all lit skin printed at 60 to 85 and its colour went."""

CHEEKS = ((36, 50, 101, 100, 205, 142), (266, 280, 330, 329, 425, 371))
"""Landmarks round the front of each cheek, the viewer's left one first."""

DISC_FH, COVER_FH = 0.009, 0.028
"""Radius (frame heights) of a lamp in the frame of which a share is seen, and of what must be covered round one that is not."""

MARGIN_HW, BELOW_HW = 0.25, 0.60
"""How much more of the plate than a frame shows is dressed and lit, round it and below: cast shadows, bounce and blurs reach in from
there, and the chest fills in from below (on path-traced heads .25 all round costs .0007 of SSIM, this .0002)."""

_one_at_a_time = threading.Lock()
"""One render at a time per process: the kernels already use every core, and two would only fight for memory."""


class Enlarger:
    """Holds a plate, a framing and a size in pixels (width, height), and makes frames of it.

    Dressing depends on the cloth alone and light on its sources alone, so both are kept: a new seed pays for its slightly
    moved key, its room, its lens and its film.
    """

    def __init__(self, plate: Plate, framing: Framing, size_px: tuple[int, int], *, keep_skin: bool = False) -> None:
        """`keep_skin` leaves the person's colour and texture as photographed, old light and all: no edit of the skin."""
        self.source = plate
        """The plate as it was given."""
        self.keep_skin, self.framing, self.size_px = keep_skin, framing, size_px
        self._places = {
            (mirrored, anew): compose.place(plate, _facing(framing, mirrored), size_px, anew=anew)
            for mirrored in (False, True)
            for anew in (False, True)
        }
        """Plate to frame, for a light from the viewer's right and from the left (looked at in the mirror: more room on the lamp's side),
        and for own clothes and such as are cut anew."""
        self._head = compose.head_of(plate)
        rows, cols = _shown(plate, self._places.values(), size_px)
        self._corner = Placement(1, cols.start, rows.start)
        cut = plate.cropped(rows, cols)
        self.plate = _as_photographed(cut) if keep_skin else cut
        """What of it the framing can show, with a margin: dress and light are made of no more."""
        self._dressed: tuple[Cloth, light.Relight] | None = None
        self._redressed: tuple[Edit, ...] | None = None
        self._face: F32 | None = None
        self._views: dict[bool, _View] = {}

    def stages(self, rig: Rig, seed: int) -> Iterator[tuple[str, F32, Rig]]:
        """Yield ``(name, picture f32[h, w, 3], resolved rig)`` after each of dress, light, backdrop, optics and film.

        dress is reflectance; light, backdrop and optics are scene-linear and unclamped; film is sRGB-encoded, 0 to 1.
        """
        streams = Streams(seed, dust_of=self.plate.photo.hash)
        lit = self._worn(rig.cloth)
        view = self._view(rig, lit)
        rig = self._resolved(jittered(rig, streams), lit, view)
        cover, own = view.matte[..., None], view.printed(lit.subject.albedo)
        yield "dress", np.asarray(own * cover, np.float32), rig

        person, room = both(
            lambda: view.printed(radiance(lit, rig)) * view.detail,
            lambda: backdrop.furnish(view.matte, rig, streams, keep_clear=view.eyes, head_fw_fh=view.head_fw_fh),
        )
        yield "light", np.asarray(person * cover, np.float32), rig

        if not self.keep_skin:
            person = person * dodge.held(person, view.face, view.eyes, view.sockets, view.hw_px, view.cheeks)
            person = person * pores.deepened(person, view.pored, view.hw_px)
        if rig.exposure_ev is None:
            metered = film.meter(person, view.face, own) + film.complexion_ev(own, view.face)
            grey = any(said.code == "no-colour" for said in self.plate.warnings)
            stock = film.toned(rig.stock) if grey else film.timed(rig.stock, own, view.face, rig.key.irradiance_rgb)
            rig = replace(rig, exposure_ev=metered + LIT_SKIN_EV + rig.exposure_offset_ev, stock=stock)
        level = film.SKIN / 2 ** (rig.exposure_ev or 0.0)
        if rig.lamp.visible:
            at = (rig.lamp.place_fw_fh[0] * self.size_px[0], rig.lamp.place_fw_fh[1] * self.size_px[1])
            loose.before_lamp(person, view.passing, at, rig.lamp.radiance_rgb, level)
        scene = backdrop.compose(person, view.matte, room.at(level))
        scene = planes.focused(scene, planes.lost(view.soft_px, view.solid, luminance(scene), level))
        yield "backdrop", scene, rig

        seen = optics.focus(scene, rig.lens, rig.lamp, clear=view.solid)
        yield "optics", seen, rig

        codes = film.record(seen, rig.stock, streams, exposure_ev=rig.exposure_ev or 0.0)
        yield "film", np.asarray(codes, np.float32) / np.float32(65535), rig

    def develop(self, rig: Rig, seed: int, *, look: Look | None = None) -> Frame:
        """One finished frame. The rig is jittered by the seed and resolved on the plate; the frame records the result."""
        with _one_at_a_time:
            start = time.perf_counter()
            worn = self._worn(rig.cloth)
            (*_, (_, picture, resolved)), edited = both(lambda: list(self.stages(rig, seed)), lambda: self._edited(worn.subject))
            took = time.perf_counter() - start
        shot = Shot(look or Look(), self.framing, self.plate.photo.hash, seed, self.size_px)
        view = self._view(resolved, worn)
        pixels = freeze(np.asarray(np.round(picture * 65535), np.uint16))
        return Frame(pixels, shot, resolved, view.place, edited, honours(self.plate, resolved, shot.look), VERSION, took)

    @cached_property
    def _edits(self) -> tuple[Edit, ...]:
        return edits(self.plate)

    def _edited(self, worn: Subject) -> tuple[Edit, ...]:
        """What was done to the person, skin and dress."""
        if self._redressed is None:
            self._redressed = dressing(self.plate, worn)
        return (() if self.keep_skin else self._edits) + self._redressed

    def _worn(self, cloth: Cloth) -> light.Relight:
        if self._dressed is None or self._dressed[0] != cloth:
            self._dressed = (cloth, light.Relight(dress.dress(self.plate, cloth, retouched=not self.keep_skin)))
            self._redressed = None
            self._views.clear()
        return self._dressed[1]

    def _view(self, rig: Rig, lit: light.Relight) -> _View:
        """The frame's window on the plate."""
        mirrored = leans(rig) < 0
        if mirrored not in self._views:
            place = self._places[mirrored, rig.cloth.kind in dress.MADE]
            head = place.points(np.array([[self._head.x_px, self._head.y_px]], np.float32))[0]
            self._views[mirrored] = _View(self.plate, lit, place, place @ self._corner, (float(head[0]), float(head[1])), self.size_px)
        return self._views[mirrored]

    def _resolved(self, rig: Rig, lit: light.Relight, view: _View) -> Rig:
        """Aim what is still Auto, and stand a lamp that would show in the frame behind the head or at its outline."""
        if isinstance(rig.key.direction, Auto):
            aimed = aiming.aim(lit.subject, rig.key.direction, self._face_on_plate(), cheeks(self.plate))
            rig = replace(rig, key=replace(rig.key, direction=aimed))
        if rig.lamp.visible:
            rig = replace(rig, lamp=replace(rig.lamp, place_fw_fh=view.behind_head(rig.lamp.place_fw_fh, rig.lamp.seen)))
        return rig

    def _face_on_plate(self) -> F32:
        if self._face is None:
            self._face = face_mask(self.plate)
        return self._face


class _View:
    """What a framing shows of a dressed plate, at the frame's size: maps that every seed shares."""

    def __init__(
        self, plate: Plate, lit: light.Relight, place: Placement, inner: Placement, head: tuple[float, float], size_px: tuple[int, int]
    ) -> None:  # fmt: skip
        """`place` leads from the whole plate to the frame, `inner` from the cropped `plate`; `head` is the head's centre in the frame."""
        self.size_px, self.place, self._inner = size_px, place, inner
        self.head_fw_fh = (head[0] / size_px[0], head[1] / size_px[1])
        self.matte = freeze(np.clip(self.printed(lit.subject.matte), 0, 1))
        self.face = freeze(np.clip(self.printed(face_mask(plate)), 0, 1))
        self.pored = freeze(self.face * (1 - self._mouth(lit)))
        """The face without its mouth: lips have no pores, and what is as fine in their shade is a camera's noise."""
        self.eyes = freeze(np.clip(self.printed(np.asarray(cv2.dilate(plate.parts["eyes"], np.ones((9, 9), np.uint8)), np.float32)), 0, 1))
        self.hw_px = plate.hw_px * inner.scale
        mesh = inner.points(plate.landmarks[:, :2])
        self.sockets, self.cheeks = dodge.sockets(mesh, self.hw_px, size_px), dodge.cheeks(mesh, self.hw_px, size_px)
        self.solid = freeze(np.clip(self.printed(lit.subject.skin + lit.subject.cloth), 0, 1) * self.matte)
        """Skin and cloth, which flare spares; hair may catch some."""
        self.passing = freeze(np.maximum(self.printed(loose.strands(lit.subject)), 0))
        """What strands at the outline pass on of a lamp behind them."""
        depth = np.maximum(lit.subject.depth, np.float32(-3))
        self.soft_px = freeze(planes.softness(self.printed(depth), self.matte, np.clip(self.printed(lit.subject.eyes), 0, 1), self.hw_px))
        """How far out of focus each pixel is, sigma."""
        self.detail = self._detail(plate, lit)

    def printed(self, picture: F32) -> F32:
        """A plate map resampled into the frame; beyond the plate lies nothing."""
        return self._inner.warp(picture, self.size_px)

    def _mouth(self, lit: light.Relight) -> F32:
        """Lips and what lies between them f32[h, w]."""
        s = lit.subject
        if s.lips is None or s.teeth is None:
            return np.zeros(self.face.shape, np.float32)
        return np.clip(2 * self.printed(np.maximum(s.lips, s.teeth)), 0, 1)

    def behind_head(self, lamp_fw_fh: tuple[float, float], seen: float) -> tuple[float, float]:
        """The lamp's place, moved along its ray from the head's centre to where `seen` of its disc shows, if it stood within the frame.

        Beside the head it would be a lamp of its own; behind it, what it lights in the air is the head's halo.
        """
        fw, fh = lamp_fw_fh
        w, h = self.size_px
        if not (0 <= fw <= 1 and 0 <= fh <= 1) or abs(fw - self.head_fw_fh[0]) < 0.1:
            return lamp_fw_fh  # beyond the frame, or straight behind the head on purpose
        x, y = self.head_fw_fh[0] * w, self.head_fw_fh[1] * h
        away = np.array([fw * w - x, fh * h - y])
        away /= np.hypot(*away)
        edge = np.array([(0.95 if away[0] > 0 else 0.05) * w - x, 0.04 * h - y])
        longest = min((float(e / a) for e, a in zip(edge, away, strict=True) if a * e > 0), default=0.0)
        # What the outline leaves of a disc anywhere on the ray, from the nearest place on from which nothing hides more of it.
        disc = np.array([(0, 0), *((r * np.cos(a), r * np.sin(a)) for r in (0.45, 0.85) for a in np.arange(8) * np.pi / 4)])
        disc *= (DISC_FH if seen > 0 else COVER_FH) * h
        ray = np.arange(0.0, max(longest, 1.0))[:, None]
        px = np.clip(np.rint(x + ray * away[0] + disc[:, 0]).astype(int), 0, w - 1)
        py = np.clip(np.rint(y + ray * away[1] + disc[:, 1]).astype(int), 0, h - 1)
        hidden = np.flatnonzero(self.matte[py, px].mean(1) > min(1 - seen, 0.97))
        reach = min(float(hidden[-1]) + 1 if hidden.size else 0.0, longest)
        return float(x + reach * away[0]) / w, float(y + reach * away[1]) / h

    def _detail(self, plate: Plate, lit: light.Relight) -> F32:
        """f32[h, w, 1] photo detail finer than the plate, as a factor on skin and hair; all ones when the plate holds it all."""
        w, h = self.size_px
        if self.place.scale < 1.05 or plate.window.scale > 0.9:
            return freeze(np.ones((h, w, 1), np.float32))
        fine = plate.photographed(self._inner @ plate.window, self.size_px)
        coarse = self.printed(luminance(plate.window.warp(plate.photo.linear(), plate.size_px)))
        s = lit.subject
        kept = self.printed(np.clip(s.skin + s.hair + s.eyes, 0, 1) * plate.inside) * np.clip(2 * self.matte - 1, 0, 1)
        if s.room is not None:
            # A neck made anew, which has a room's light of its own, has none of it: an old collar's edge would be a scratch down it.
            anew = s.skin * np.minimum(20 * np.abs(s.room - 1), 1)
            kept = kept * np.clip(1 - self.printed(np.asarray(anew, np.float32)), 0, 1)
        ratio = np.clip((fine + 0.01) / (coarse + 0.01), 0.5, 2.0)
        return freeze(np.asarray(1 + kept * (ratio - 1), np.float32)[..., None])


def radiance(lit: light.Relight, rig: Rig) -> F32:
    """The lit person f32[h, w, 3] on the plate, scene-linear: light adds, source by source."""
    key, end = rig.key, rig.key.direction if isinstance(rig.key.direction, Direction) else None
    (total, room), others = both(
        lambda: (lit.flagged(key), lit.ambient(rig.ambient_rgb, end) if any(rig.ambient_rgb) else None),
        lambda: [lit.source(source) for source in (rig.rim, *rig.extra) if source is not None],
    )
    for other in others:
        total = total + other
    if not math.isinf(rig.fill_ev):
        total = total + lit.fill(rig.fill_ev, total)
    return np.asarray(total if room is None else total + room, np.float32)


def face_mask(plate: Plate) -> F32:
    """f32[h, w] 1 on the skin within the mesh's oval."""
    return freeze(np.asarray(meshes.oval(plate.landmarks, plate.matte.shape) * (plate.parts["skin"] > 0.5), np.float32))


def cheeks(plate: Plate) -> tuple[F32, F32]:
    """The front of each cheek, between the nose's wing and the cheekbone, f32[h, w]: at the viewer's left, and the other."""

    def front(points: tuple[int, ...]) -> F32:
        mask = np.zeros(plate.matte.shape, np.uint8)
        hull = cv2.convexHull(np.round(plate.landmarks[list(points), :2]).astype(np.int32))
        return np.asarray(cv2.fillConvexPoly(mask, hull, 1), np.float32)

    return front(CHEEKS[0]), front(CHEEKS[1])


def edits(plate: Plate) -> tuple[Edit, ...]:
    """What was done to the person's own colour and texture, with sizes and bounds."""
    skin = face_mask(plate)
    before, after = plate.colour[skin > 0.5], plate.albedo[skin > 0.5]
    if not len(before):
        return ()
    gain = np.log2((luminance(after) + 1e-3) / (luminance(before) + 1e-3))
    levelled = float(np.percentile(gain, 95) - np.percentile(gain, 5))
    median, most = chroma_shift(plate.colour, plate.albedo, skin, plate.hw_px)
    fine = pores.lacking(plate)
    drawn = (Edit("fine texture drawn on skin the photo shows too softly, deviation", round(fine / math.log(2), 3), "scene stops"),)
    stops, white = balance.size(plate.developed, np.asarray(np.maximum(np.median(before, 0), 1e-4), np.float32))
    brought = [Edit("the photo brought up before it was read", round(stops, 2), "scene stops")] if stops > 0.02 else []
    brought += [Edit("the photo's white balanced on its face before it was read", round(white, 2), "dE00")] if white > 0.02 else []
    return (
        *brought,
        *(drawn if fine >= pores.LEAST else ()),
        Edit("old light evened out on the face's skin, 5th to 95th percentile", round(levelled, 3), "scene stops"),
        Edit("skin chroma at equal lightness, median", round(median, 3), "dE00", SKIN_CHROMA_BOUND),
        Edit("skin chroma at equal lightness, 95th percentile", round(most, 3), "dE00", SKIN_CHROMA_BOUND),
    )


def dressing(plate: Plate, worn: Subject) -> tuple[Edit, ...]:
    """What dressing changed of the person beside the garment itself: skin painted where clothes were, own cloth darkened."""
    step = np.s_[::2, ::2]
    before, after = luminance(plate.albedo[step]), luminance(worn.albedo[step])
    shown = worn.matte[step] > 0.5
    skin = shown & (worn.skin[step] > 0.5)
    still = (np.abs(worn.normal[step] - plate.normal[step]).max(-1) < 0.02) & (np.abs(worn.depth[step] - plate.depth[step]) < 0.003)
    ears = np.zeros_like(skin) if worn.ears is None else worn.ears[step] > 0.02
    painted = skin & ~still & ~ears & (np.abs(after - before) > 0.03 * before + 0.002)
    formed = skin & ears & ~still
    features = shown & (np.maximum.reduce([plate.parts[name][step] for name in ("eyes", "brows", "teeth", "lips")]) > 0.5)
    own = shown & still & (worn.cloth[step] > 0.8) & (plate.parts["cloth"][step] > 0.8)
    found = []
    halved, weaker, calmed = worn.eased or (0.0, 0.0, 0.0)
    for what, size in (("half of the face lifted to the other, which a hard light left dark", halved),
                       ("lines and specks that old light drew on the face weakened", weaker)):  # fmt: skip
        if size > 0.02:
            found.append(Edit(f"{what}, 99th percentile", round(size, 3), "scene stops"))
    if calmed > 0.02:
        found.append(Edit("blotches of hue on skin calmed, red or blue over green, 95th percentile", round(calmed, 3), "scene stops"))
    if skin.any() and painted.sum() > 0.002 * skin.sum():
        found.append(Edit("skin painted anew (neck and throat), of all skin", round(float(painted.sum() / skin.sum()), 3), "share"))
    if skin.any() and formed.sum() > 0.01 * skin.sum():
        found.append(Edit("ears given a form of their own, of all skin", round(float(formed.sum() / skin.sum()), 3), "share"))
    if features.any():
        changed = float(np.percentile(np.abs(np.log2((after[features] + 1e-3) / (before[features] + 1e-3))), 95))
        if changed > 0.02:
            found.append(Edit("eyes, brows, teeth and lips retouched, 95th percentile", round(changed, 3), "scene stops"))
    # Depth between locks of a head of one tone, an old lamp's band taken off, grey made of melanin's hue.
    crown = shown & (worn.hair[step] > 0.9) & (plate.parts["hair"][step] > 0.9)
    if crown.sum() > 0.01 * shown.sum():
        changed = float(np.percentile(np.abs(np.log2((after[crown] + 4e-3) / (before[crown] + 4e-3))), 95))
        if changed > 0.02:
            found.append(Edit("light and dark between the locks of hair, 95th percentile", round(changed, 3), "scene stops"))
    rooted = shown & (worn.hair[step] > 0.3) & (plate.parts["skin"][step] > 0.9)
    if skin.any() and rooted.sum() > 0.0005 * skin.sum():
        found.append(Edit("single hairs drawn on skin at the hairline, of all skin", round(float(rooted.sum() / skin.sum()), 4), "share"))
    locks = (plate.parts["hair"] * plate.inside)[step] > 0.5
    behind = locks & (worn.hair[step] < 0.1) & (worn.cloth[step] > 0.5)
    if behind.sum() > 0.005 * max(int(locks.sum()), 1):
        found.append(Edit("hair that the photo cuts laid down the back, of all hair", round(float(behind.sum() / locks.sum()), 3), "share"))
    # Who keeps the own clothes is shown as photographed, hair too.
    strung = strands.lacking(plate) if worn.shine > 1 else 0.0
    if strung > 0.02:
        found.append(Edit("strands drawn in hair that the photo shows too softly, at most, of all hair", round(strung, 3), "share"))
    if own.sum() > 0.01 * shown.sum():
        darker = float(np.median(np.log2((after[own] + 1e-4) / (before[own] + 1e-4))))
        if abs(darker) > 0.02:
            found.append(Edit("the person's own cloth, median", round(darker, 3), "scene stops"))
    return tuple(found)


def _as_photographed(plate: Plate) -> Plate:
    """The plate with skin, lips, eyes and teeth as the photo shows them, brought to the albedo's mean brightness."""
    skin = face_mask(plate) > 0.5
    gain = float(luminance(plate.albedo[skin]).mean() / max(float(luminance(plate.colour[skin]).mean()), 1e-4)) if skin.any() else 1.0
    own = np.clip(plate.parts["skin"] + plate.parts["hands"], 0, 1)[..., None]
    return replace(plate, albedo=freeze(np.asarray(plate.albedo + own * (plate.colour * gain - plate.albedo), np.float32)))


def honours(plate: Plate, rig: Rig, look: Look) -> dict[str, str]:
    """What this engine does about each variable: yes, kept from photo, or no."""
    asked = look.term("pose")
    kept = posture.shows(plate, asked.word.values["pose"]) if asked.word else posture.turned_to(plate, *asked.numbers)
    pose = "kept from photo" if kept else "no"
    return {"light": "yes", "background": "yes", "clothing": dress.honours(plate, rig.cloth), "pose": pose, "flare": "yes"}


def _shown(plate: Plate, places: Iterable[Placement], size_px: tuple[int, int]) -> tuple[slice, slice]:
    """Rows of the plate, and columns of it or beyond its sides, that frames of (width, height) placed so show, and MARGIN_HW round them."""
    w, h = size_px
    seen = np.concatenate([place.inverse().points(np.array([[0, 0], [w - 1, h - 1]], np.float32)) for place in places])
    m = MARGIN_HW * plate.hw_px
    # The head is read whole, whatever is shown of it.
    seen = np.concatenate([seen, plate.landmarks[:, :2]])
    x0, y0 = (int(v) for v in np.floor(seen.min(0) - m))
    x1, y1 = (int(v) + 1 for v in np.ceil(seen.max(0) + np.array([m, BELOW_HW * plate.hw_px])))
    return slice(max(y0, 0), min(y1, plate.matte.shape[0])), slice(x0, x1)


def _facing(framing: Framing, mirrored: bool) -> Framing:
    x, y = framing.head_centre
    return replace(framing, head_centre=(1 - x, y)) if mirrored else framing

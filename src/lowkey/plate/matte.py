"""The matte: how much of each pixel is the person, and the person's own colour there.

A small network says roughly where the person is; closed-form matting decides the border on the photo's own pixels; the old
background's light is then taken out of the soft border. Everything is done in scene-linear light, where a lens mixes.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from lowkey.pixels import F32, U8, added
from lowkey.plate import evidence, foreground, laplacian, models, palette

NETWORK_PX = 256
BAND_HW = 0.07
"""Half-width of the band round the first guess in which alpha is asked anew, in head-widths."""
UNSURE = (0.05, 0.95)
UNSURE_GROWN_HW = 0.02
"""A guess between these values, and this far round it, is asked anew however wide it lies (frizzy hair)."""
TRUST = 0.002
"""Weight of the first guess inside the band: keeps wisps from drifting in flat backgrounds."""
PARTING_PX = 200
NOSE = 4
TOLD_HW = (0.15, 0.12)
"""How far in and out of the first guess's border colour is believed."""
TRUST_ALIKE = 0.1
"""Weight added to the first guess where person and background are both black and only the guess can tell them apart."""
TRUST_COLOUR = 0.01
"""Weight of what colour alone tells, where it is sure."""
PERSON_HW, ROOM_HW = (0.10, 0.60), (0.08, 0.60)
"""From how deep inside, and how far outside, the first guess's border the colours of person and room are counted."""
DOUBTED_HW = (0.30, 0.12)
"""How far in and out of its border the first guess is put in doubt by colours."""
KNOWN_BY = (0.7, 2.0)
"""Log odds at which a colour begins to be known for one side's, and at which it is."""
FACE_FIRST = 1.0
"""Log odds that a colour beside the face has to make up before it is the room's."""
TRUST_ROOM, TRUST_PERSON = 0.1, 0.01
"""Weight of a colour known for the room's, and for the person's (less: a mixture with the wall may look like some other cloth)."""
FOOT = 0.02
"""Alpha below this, or above one minus this, is the solver's haze."""
VEIL_SLOPE = (1.5, 4.0)
"""Mean slope of alpha, per head-width, below which a half-covered patch is a veil, and above which it is a border."""
JOINED_HW, STRANGER_HW2, BLURRED = 0.07, 0.01, 0.5
"""Width by which what is the person's hangs together; area from which something may be somebody else; sharpness, as a share of the
person's own, under which it is not the person's."""
BLEED_HW = 0.05
"""How far beyond the matte the person's colour is carried, so that resampling never meets the old background."""


def coarse(picture: U8, face: F32, others: Sequence[F32] = ()) -> F32:
    """A first guess f32[h, w] at the person on a crop u8[h, w, 3]: the network's mean on the crop and on its mirror image.

    `face` f32[n, 2] are points of the person's face; `others` those of other faces, whose bodies are parted from this one.
    """
    h, w = picture.shape[:2]
    # The network's own shrinking skips pixels; areas are averaged first.
    small = np.asarray(cv2.resize(picture, (NETWORK_PX, NETWORK_PX), interpolation=cv2.INTER_AREA), np.uint8)
    with models.person_segmenter() as segment:
        seen = (segment(small) + segment(np.asarray(small[:, ::-1], np.uint8))[:, ::-1]) / 2
    guess: F32 = np.asarray(np.clip(cv2.resize(seen, (w, h), interpolation=cv2.INTER_CUBIC), 0, 1), np.float32)
    near = [o for o in others if o[:, 0].max() > 0 and o[:, 0].min() < w and o[:, 1].max() > 0 and o[:, 1].min() < h]
    return _parted(picture, guess, face, near) if near else guess


def _parted(picture: U8, guess: F32, face: F32, others: Sequence[F32]) -> F32:
    """The guess without other people.

    Between the heads and chests that surely belong to each, membership is spread over a small copy of the crop by the same
    form that solves the matte: along colours, and halfway where two dark jackets meet.
    """
    h, w = guess.shape
    k = PARTING_PX / max(h, w)
    small = np.asarray(cv2.resize(picture, (max(round(w * k), 8), max(round(h * k), 8)), interpolation=cv2.INTER_AREA), np.float32)
    sure = np.full(small.shape[:2], -1, np.float32)
    # The smallest face first: the largest stands in front.
    for member, points in sorted(((i == 0, p) for i, p in enumerate([face, *others])), key=lambda f: float(np.ptp(f[1][:, 0]))):
        low, high = points.min(0) * np.float32(k), points.max(0) * np.float32(k)
        (fw, fh), (x, y) = high - low, (low + high) / 2
        cv2.ellipse(sure, (round(x), round(y - 0.15 * fh)), (round(0.5 * fw), round(0.62 * fh)), 0, 0, 360, float(member), -1)
        chest = [[x - 0.25 * fw, y], [x + 0.25 * fw, y], [x + 0.5 * fw, y + 1.3 * fh], [x + 0.5 * fw, y + 3 * fh]]
        chest += [[x - 0.5 * fw, y + 3 * fh], [x - 0.5 * fw, y + 1.3 * fh]]
        cv2.fillPoly(sure, [np.array(chest).astype(np.int32)], float(member))
    # Half a membership everywhere, very weakly, keeps the system sound where a colour meets no seed.
    half = np.full_like(sure, 0.5)
    known = np.where(sure < 0, half, sure).astype(np.float32)
    mine, _ = laplacian.solve(small / np.float32(255), known, sure < 0, half, half * np.float32(2e-6), eps=1e-2, most=800)
    mine = np.asarray(cv2.resize(mine, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(guess * np.clip((mine - 0.4) / 0.2, 0, 1), np.float32)


def read(colour: F32, guess: F32, hw_px: float, points: F32) -> tuple[F32, F32]:
    """Matte f32[h, w] and the person's own colour f32[h, w, 3], from scene-linear colour and a first guess on the same grid.

    points f32[478, >=2] are the landmarks on the grid: what does not hang together with the nose does not join.
    """
    face = float(points[NOSE, 0]), float(points[NOSE, 1])
    guess = _one_person(guess, hw_px, face)
    unknown, known, prior, trust = _asked(colour, guess, hw_px, _near_face(points, guess.shape, hw_px))
    alpha, _ = laplacian.solve(colour, known, unknown, prior, trust, enough=2e-4)
    alpha = np.clip((alpha - FOOT) / (1 - 2 * FOOT), 0, 1).astype(np.float32)
    alpha = _one_person(_without_strangers(_decided(alpha, hw_px), colour, hw_px, face), hw_px, face)
    return alpha, _own_colour(colour, alpha, hw_px)


def _asked(colour: F32, guess: F32, hw_px: float, face: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], F32, F32, F32]:
    """Which pixels are asked anew; alpha at all others (a first value where asked); what each is pulled toward, and how hard.

    face bool[h, w]: the face and a margin, where skin is likelier than a room of its colour.
    """
    within, without = _distances(guess, hw_px)
    inner = guess > 0.5
    unsure = ((guess > UNSURE[0]) & (guess < UNSURE[1])).astype(np.uint8)
    k = 2 * round(UNSURE_GROWN_HW * hw_px) + 1
    grown = cv2.dilate(unsure, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))) > 0
    unknown = ((within <= BAND_HW) & (without <= BAND_HW)) | grown

    # Where the guess took a piece of the room for the person, its colours are the room's, and it hangs together with the room.
    root = np.sqrt(np.clip(colour, 0, 1)).astype(np.float32)
    room, person = _known(root, guess, within, without, hw_px, face)
    k = 2 * round(0.02 * hw_px) + 1
    wrong = ((room > 0.3) & inner & ~unknown).astype(np.uint8)
    unknown |= cv2.dilate(wrong, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))) > 0

    # Where colour tells, it is asked further out and much further in: curls are seen through as deep as that.
    reach = unknown | ((within <= TOLD_HW[0]) & (without <= TOLD_HW[1]))
    told = evidence.read(colour, guess, within, without, reach, hw_px)
    belief, colour_alpha, alike = np.zeros_like(guess), guess.copy(), np.zeros_like(guess)
    belief[reach], colour_alpha[reach], alike[reach] = told.belief, told.alpha, told.alike
    k = 2 * round(0.014 * hw_px) + 1
    unknown |= reach & (cv2.blur(belief, (k, k)) > 0.3)
    # A mixture that can be read off is not to be called the room's or the person's.
    room, person = room * (1 - belief), person * (1 - belief)
    shape = (TRUST + TRUST_ALIKE * alike) * (1 - 0.9 * room)
    known = TRUST_ROOM * room, TRUST_PERSON * person
    trust = (shape + TRUST_COLOUR * belief + known[0] + known[1]).astype(np.float32)
    prior = ((shape * guess + TRUST_COLOUR * belief * colour_alpha + known[1]) / trust).astype(np.float32)
    return unknown, np.where(unknown, prior, inner).astype(np.float32), prior, trust


def _known(root: F32, guess: F32, within: F32, without: F32, hw_px: float, face: NDArray[np.bool_]) -> tuple[F32, F32]:
    """How surely each pixel's colour is the room's, and the person's: f32[h, w] 0..1 each, at most one of them above 0.

    Within the guess the room must reach in from outside: what lies enclosed may be an eye, a lens or a button.
    """
    deep = ((within > PERSON_HW[0]) & (within < PERSON_HW[1])).astype(np.float32)
    far = ((without > ROOM_HW[0]) & (without < ROOM_HW[1]) & ((guess < 0.05) | (without > DOUBTED_HW[1]))).astype(np.float32)
    asked = (within <= DOUBTED_HW[0]) & ((without <= DOUBTED_HW[1]) | (guess > UNSURE[0]))
    told = np.zeros_like(guess)
    told[asked] = palette.odds(root, deep, far, asked, hw_px)
    side = 2 * round(0.006 * hw_px) + 1
    odds = np.asarray(cv2.blur(told, (side, side)), np.float32)
    odds -= np.float32(FACE_FIRST) * (face & (guess > 0.5))
    room, person = (np.clip((way * odds - KNOWN_BY[0]) / (KNOWN_BY[1] - KNOWN_BY[0]), 0, 1) for way in (1, -1))
    open_ground = ((room > 0.3) | (without > BAND_HW)).astype(np.uint8)
    _, label = cv2.connectedComponents(open_ground, connectivity=4)
    reached = np.unique(label[without > BAND_HW])
    return (room * np.isin(label, reached)).astype(np.float32), (person * (without < BAND_HW)).astype(np.float32)


def _near_face(points: F32, shape: tuple[int, ...], hw_px: float) -> NDArray[np.bool_]:
    """bool[h, w]: within the face's outline or a twelfth of a head-width round it."""
    out = np.zeros(shape, np.uint8)
    outline = cv2.convexHull(np.round(points[:468, :2]).astype(np.int32))
    cv2.fillConvexPoly(out, outline, 1)
    cv2.polylines(out, [outline], True, 1, max(round(hw_px / 6), 1))
    return np.asarray(out > 0)


def _decided(alpha: F32, hw_px: float) -> F32:
    """Alpha without veils: nobody is evenly a third there over a patch as wide as a finger; such a patch is not the person.

    Hair has steep strands and a blurred outline a slope, so a veil is told by the lack of either.
    """
    across, down = cv2.Scharr(alpha, cv2.CV_32F, 1, 0, scale=1 / 32), cv2.Scharr(alpha, cv2.CV_32F, 0, 1, scale=1 / 32)
    side = 2 * round(0.03 * hw_px) + 1
    slope = cv2.blur(np.hypot(across, down), (side, side)) * np.float32(hw_px)
    veil = np.clip((VEIL_SLOPE[1] - slope) / (VEIL_SLOPE[1] - VEIL_SLOPE[0]), 0, 1)
    gone = np.clip(2 * alpha, 0, 1)
    return np.asarray(np.where(alpha < 0.5, alpha * (1 - veil * (1 - gone * gone * (3 - 2 * gone))), alpha), np.float32)


def _without_strangers(alpha: F32, colour: F32, hw_px: float, face: tuple[float, float]) -> F32:
    """Alpha without what only touches the person and is out of focus: the head of somebody further back, a chair.

    A body hangs together more broadly than by an ear; a knot of hair may hang by less, but is as sharp as the rest.
    """
    k = 2 * round(JOINED_HW * hw_px / 2) + 1
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (k, k))
    body = cv2.morphologyEx((alpha > 0.4).astype(np.uint8), cv2.MORPH_OPEN, round_)
    count, label, stats, _ = cv2.connectedComponentsWithStats(body, connectivity=8)
    own = label[int(np.clip(round(face[1]), 0, alpha.shape[0] - 1)), int(np.clip(round(face[0]), 0, alpha.shape[1] - 1))]
    if not own or count < 3:
        return alpha
    root = added(np.sqrt(np.maximum(colour, 0)))
    detail = np.hypot(cv2.Scharr(root, cv2.CV_32F, 1, 0), cv2.Scharr(root, cv2.CV_32F, 0, 1))
    inner = cv2.erode(body, np.ones((5, 5), np.uint8))
    sharp = float(detail[(label == own) & (inner > 0)].mean())
    strange = np.zeros_like(body)
    for i in range(1, count):
        mine = (label == i) & (inner > 0)
        large = stats[i, cv2.CC_STAT_AREA] > STRANGER_HW2 * hw_px**2
        if i != own and large and mine.any() and float(detail[mine].mean()) < BLURRED * sharp:
            strange[label == i] = 1
    if not strange.any():
        return alpha
    # With its soft surroundings, as far as they are nearer to it than to the person.
    to_strange, to_own = (cv2.distanceTransform(1 - m, cv2.DIST_L2, 5) for m in (strange, (label == own).astype(np.uint8)))
    gone = np.clip((to_own - to_strange) / np.float32(0.02 * hw_px) + 0.5, 0, 1) * (to_strange < 0.25 * hw_px)
    return np.asarray(alpha * (1 - gone), np.float32)


def _distances(guess: F32, hw_px: float) -> tuple[F32, F32]:
    """Distance in head-widths to the guess's border, from inside and from outside."""
    inner = (guess > 0.5).astype(np.uint8)
    within, without = (cv2.distanceTransform(side, cv2.DIST_L2, 5) / hw_px for side in (inner, 1 - inner))
    return within.astype(np.float32), without.astype(np.float32)


def _one_person(alpha: F32, hw_px: float, face: tuple[float, float]) -> F32:
    """Alpha of the component that holds the face; thin wisps count as joined."""
    solid = (alpha > 0.1).astype(np.uint8)
    k = 2 * round(0.008 * hw_px) + 1
    _, label = cv2.connectedComponents(cv2.dilate(solid, np.ones((k, k), np.uint8)), connectivity=8)
    x = int(np.clip(round(face[0]), 0, alpha.shape[1] - 1))
    y = int(np.clip(round(face[1]), 0, alpha.shape[0] - 1))
    if not label[y, x]:
        return alpha
    return np.where(label == label[y, x], alpha, 0).astype(np.float32)


def _own_colour(colour: F32, alpha: F32, hw_px: float) -> F32:
    """The photo, with the person's own colour in and just beyond the matte's soft border."""
    front, back = foreground.estimate(colour, alpha)
    front = foreground.steadied(colour, alpha, front, back, hw_px)
    beyond = cv2.distanceTransform((alpha <= 0).astype(np.uint8), cv2.DIST_L2, 5)
    share = np.clip(2 - beyond / (0.5 * BLEED_HW * hw_px), 0, 1).astype(np.float32)[..., None]
    return np.asarray(colour + share * (front - colour), np.float32)

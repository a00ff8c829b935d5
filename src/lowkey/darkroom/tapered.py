"""The ends of hair below the jaw: they thin out strand by strand and sink into the dark, whatever ended them in the photo.

Where hair ends on cloth, on bare skin or at the photo's edge, its last finger's breadth is the least sure of all: a lock's tip with the
old shirt round it, a rag of shoulder, a bean of nape under an ear. Ended as strands end, no two alike, nothing of that is seen.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numba import njit

from lowkey.darkroom import tresses
from lowkey.darkroom.knit import noise
from lowkey.darkroom.neck import Bust, Kept
from lowkey.gaussian import blur
from lowkey.pixels import F32, luminance
from lowkey.plate.meshes import OVAL
from lowkey.plate.plate import Plate
from lowkey.plate.zones import ramp as step

NOSE_BASE, NOSE = 2, 4
FADE_HW = (0.02, 0.20)
"""How far above its end a strand of middling length is gone, and is whole."""
STRANDS_HW, LOCKS_HW = 0.05, 0.05
"""By how much strands, and locks, are longer or shorter than that: one standard deviation."""
WIDE_HW, LOCK_HW, WALK_HW = 0.0075, 0.035, 0.10
"""How wide a strand and a lock are, and how far they are followed each way."""
CURL_HW = 0.02
"""Size of a curl."""
BELOW_HW = (-0.06, 0.05)
"""How far below the jaw's line ends begin to be thinned, and are."""
LOBES_HW = (0.02, 0.14)
"""The same, from the height of the nose's base: beside the face, a nape's hair under an ear ends higher than any jaw."""
BEARD_HW = (0.08, 0.16)
"""How far beside the face's outline hair is no beard any more, which ends on skin."""
NAPE = 0.2
"""Share of a piece of hair within the face's outline under which it is the nape's."""
TUFT_HW2 = 0.12
"""Area up to which such a piece is a tuft behind an ear, in the shade of both."""
CRUMB_HW2 = 0.03
"""Area under which what has come apart from all other hair goes."""
NECK_HW, UNDER_HW = 0.08, 0.10
"""How much broader than the neck made anew the photo's may be: what is further out is a shoulder. How far under its flank hair goes on."""
SLIT_HW = 0.016
"""Half of how wide the skin is at most that shows between two strands of what hangs beside a neck: lit, it is a splinter there."""
DARK = 0.55
"""Share of its reflectance that a strand loses toward its end: what hangs lowest hangs in the shade of all above it."""
SUNK, SUNK_HW = 0.45, (0.05, 0.75)
"""The same for hair as a whole, and from where to where below the jaw."""


def taper(part: Kept, albedo: F32, hidden: F32, plate: Plate, bust: Bust, neck: F32) -> None:
    """Thin out hair's ends below the jaw, in place: `part.head` f32[h, w], and darken their albedo f32[h, w, 3], the plate's last h rows.

    `hidden` f32[h, w] is 1 where hair goes on behind a garment, and ends nowhere. Behind the photo's neck it goes on, too, as far as
    beside it. `neck` f32[h, w] is what the neck made anew covers: no slit of that skin shows between strands which the photo has there.
    """
    # Half a pixel decides nothing here: all at half size.
    k, (h, w) = plate.hw_px / 2, part.head.shape
    top, size = len(plate.matte) - h, (max(w // 2, 1), max(h // 2, 1))
    maps = (part.head, part.hair, part.wrap, part.below, hidden)
    head, hair, wrap, below, behind = (np.asarray(cv2.resize(m, size, interpolation=cv2.INTER_AREA), np.float32) for m in maps)
    mesh = np.asarray((plate.landmarks[:, :2] - np.array([0, top], np.float32)) / 2, np.float32)
    down = (np.arange(size[1], dtype=np.float32) - mesh[NOSE_BASE, 1])[:, None] / np.float32(k)
    beside, nape = _beside_face(mesh, hair, k)
    low = np.maximum(step(below, *BELOW_HW), step(down, *LOBES_HW)) * beside
    hair = np.asarray(hair * (1 - wrap) * (head > 0.02), np.float32)
    asked = np.asarray(low * step(hair, 0.02, 0.2), np.float32)
    rows, columns = np.flatnonzero((asked > 0.02).any(1)), np.flatnonzero((asked > 0.02).any(0))
    if len(rows) < 8 or len(columns) < 8:
        return
    m = round(0.12 * k)
    box = np.s_[max(rows[0] - m, 0) : min(rows[-1] + m, size[1]), max(columns[0] - m, 0) : min(columns[-1] + m, size[0])]
    mine, where = np.ascontiguousarray(hair[box]), np.ascontiguousarray(asked[box])
    ys, xs = np.mgrid[box].astype(np.float32)
    x, y = (xs + 0.25 - mesh[NOSE, 0]) * np.float32(bust.hand / k), (ys + 0.25 - mesh[NOSE, 1]) / np.float32(k)
    tone = np.asarray(cv2.resize(albedo, size, interpolation=cv2.INTER_AREA)[box], np.float32)
    grey = np.asarray(np.log(np.maximum(luminance(tone), np.float32(2e-3))), np.float32)
    dx, dy, runs = tresses.flow(grey, mine, mine > 0.5, x, y, k, bust.hand)

    solid = np.asarray(np.minimum(head[box], mine) > 0.4)
    middle = (bust.chin_px[0] + bust.throat[0] * bust.hw_px) / 2
    skin = np.asarray(cv2.resize(plate.parts["skin"][top:], size, interpolation=cv2.INTER_AREA)[box] > 0.5)
    skin &= np.abs(xs - np.float32(middle)) < (bust.neck + NECK_HW) * k
    left = blur(_left(solid, np.asarray(behind[box] > 0.5), skin & ~solid, round(middle) - box[1].start, dx, dy, k), 0.012 * k)
    near = np.ascontiguousarray(where * (left < FADE_HW[1] + 2 * (STRANDS_HW + LOCKS_HW)), np.float32)
    longer = np.zeros_like(left)
    for stream, (wide, much) in enumerate(((WIDE_HW, STRANDS_HW), (LOCK_HW, LOCKS_HW))):
        longer += np.float32(much) * np.clip(tresses.strung(x, y, wide, 101 + stream, dx, dy, near, WALK_HW * k), -2, 2)
    # Curls end in curls, not in a comb.
    straight = step(runs, 0.10, 0.35)
    curl = sum(noise(x / np.float32(wide), y / np.float32(wide), 103 + i) for i, wide in enumerate((CURL_HW, 2 * CURL_HW)))
    longer = straight * longer + (1 - straight) * np.float32(STRANDS_HW) * curl
    # The photo's own bright strands are the ones that go on.
    fine = np.clip((grey - blur(grey, 0.03 * k)) / np.float32(0.4), -1, 1)
    stays = 1 - where * (1 - step(np.asarray(left + longer + np.float32(0.5 * STRANDS_HW) * fine, np.float32), *FADE_HW))
    over = np.asarray(cv2.resize(neck, size, interpolation=cv2.INTER_AREA)[box], np.float32)
    stays = _joined(np.asarray(stays, np.float32), mine, over, k)
    stays = _without_crumbs(np.asarray(head[box] * stays, np.float32), np.asarray(stays, np.float32), where, k)
    dark = 1 - np.float32(DARK) * where * (1 - step(left, 0.0, 1.5 * FADE_HW[1]))
    dark *= 1 - np.float32(SUNK) * where * np.maximum(step(below[box], *SUNK_HW), nape[box])
    # Specks of the photo's neck among what is kept of it come along.
    kept = np.asarray(head[box] * stays, np.float32)
    speck = np.maximum(_closed(kept, k) - kept, 0) * skin * (left > FADE_HW[1])
    whole = np.ones((size[1], size[0], 3), np.float32)
    whole[box] = np.dstack([stays, dark, 1 - speck])
    both = cv2.resize(whole, (w, h), interpolation=cv2.INTER_LINEAR)
    # What is not asked stays as it is, to the last bit.
    part.head[:] *= both[..., 0]
    np.maximum(part.head, 1 - both[..., 2], out=part.head, where=both[..., 2] < 1)
    albedo[:] *= both[..., 1:2]


def _beside_face(mesh: F32, hair: F32, k: float) -> tuple[F32, F32]:
    """0 on the face and its beard, 1 beside it; and 1 on tufts of the nape: f32[h, w] of `hair` f32[h, w], `mesh` f32[n, 2] on its grid.

    Hair that hardly reaches into the face's outline is no beard however near it lies; a small piece of it shows the nape behind an ear.
    """
    face = np.ones(hair.shape, np.uint8)
    cv2.fillPoly(face, [np.round(mesh[list(OVAL)]).astype(np.int32)], 0)
    beside = step(cv2.distanceTransform(face, cv2.DIST_L2, 5) / np.float32(k), *BEARD_HW)
    count, names = cv2.connectedComponents((hair > 0.3).astype(np.uint8), connectivity=8)
    area, within = (np.bincount(names.ravel(), weights=m, minlength=count) for m in (None, (1 - face).ravel()))
    nape = within < NAPE * np.maximum(area, 1)
    nape[0] = False
    tuft = nape & (area < TUFT_HW2 * k**2)
    grown, shaded = (blur(cv2.dilate(kind[names].astype(np.float32), np.ones((3, 3), np.uint8)), 0.01 * k) for kind in (nape, tuft))
    return np.asarray(np.maximum(beside, grown * face), np.float32), np.asarray(shaded, np.float32)


def _closed(cover: F32, k: float) -> F32:
    """A coverage f32[h, w] without gaps narrower than a slit."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(SLIT_HW * k) + 1,) * 2)
    return np.asarray(cv2.morphologyEx(cover, cv2.MORPH_CLOSE, disc), np.float32)


def _joined(stays: F32, hair: F32, neck: F32, k: float) -> F32:
    """What `stays` f32[h, w] of `hair` f32[h, w], without slits between its strands where a `neck` f32[h, w] lies under them."""
    shut = np.minimum(_closed(np.asarray(stays * hair, np.float32), k), 1)
    return np.asarray(np.maximum(stays, shut * step(blur(neck, 0.01 * k), 0.02, 0.2)), np.float32)


def _without_crumbs(head: F32, stays: F32, where: F32, k: float) -> F32:
    """What `stays` f32[h, w], without the bits of a coverage `head` f32[h, w] that thinning cut off, among what was thinned (`where`)."""
    _, names, stats, _ = cv2.connectedComponentsWithStats((head > 0.3).astype(np.uint8), connectivity=8)
    small = (stats[:, cv2.CC_STAT_AREA] < CRUMB_HW2 * k * k) & (stats[:, cv2.CC_STAT_TOP] > 0)
    apart = (small[names] | (names == 0)).astype(np.float32)
    gone = blur(cv2.erode(apart, np.ones((3, 3), np.uint8)), 0.5)
    return np.asarray(stays * (1 - gone * step(where, 0.05, 0.5)), np.float32)


@njit(cache=True)  # type: ignore[misc]
def _left(solid: Any, hidden: Any, skin: Any, middle: int, dx: Any, dy: Any, k: float) -> Any:
    """How far f32[h, w] (hw) each strand of `solid` bool[h, w] goes on before it ends, followed downward along the flow (dx, dy).

    Row by row from below: a strand is as long as the one it runs into, and a step. What is `hidden` goes on for ever; and what runs under
    the `skin` bool[h, w] of a neck, whose axis is at column `middle`, goes on behind it as far as the hair that lies beside it on that row.
    """
    h, w = solid.shape
    out = np.zeros((h, w), np.float32)
    for r in range(h - 1, -1, -1):
        for c in range(w):
            if hidden[r, c]:
                out[r, c] = 1.0
                continue
            if not solid[r, c] or r == h - 1:
                continue
            # At most two columns a row: what lies flatter has been read off noise as often as off hair.
            lean = dx[r, c] / max(abs(dy[r, c]), 0.45)
            if dy[r, c] < 0:
                lean = -lean
            place = min(max(c + lean, 0.0), w - 1.0)
            first = min(int(place), w - 2)
            part = place - first
            further = (1 - part) * out[r + 1, first] + part * out[r + 1, first + 1]
            out[r, c] = min(further + np.sqrt(1 + lean * lean) / k, 1.0)
        for way in (-1, 1):
            beside, deep = 0.0, 0.0
            for c in range(w - 1 if way < 0 else 0, min(max(middle, 0), w - 1), way):
                if solid[r, c] or hidden[r, c]:
                    beside, deep = out[r, c], 0.0
                elif skin[r, c] and deep < UNDER_HW * k:
                    out[r, c] = beside
                    deep += 1.0
                else:
                    beside = 0.0
    return out

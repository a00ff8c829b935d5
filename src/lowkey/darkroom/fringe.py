"""The fringe of hair: where its outline lies before the light, some strands are dark against it and the gaps beside them are not.

No matte from an ordinary photo holds single strands, so along its outline hair is as thick everywhere, and lets the room through, or
passes the lamp on, in one even band: an outline drawn with a soft pencil. What is drawn here is invented along the photo's own flow, as
strays are.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lowkey.darkroom import haircut, tresses
from lowkey.darkroom.knit import noise
from lowkey.darkroom.subject import Subject
from lowkey.gaussian import blur
from lowkey.pixels import freeze, luminance
from lowkey.plate.zones import ramp as step

DEEP_HW = 0.05
"""How deep (sigma) from the outline strands are told apart."""
WIDE_HW, LOCK_HW = 0.0065, 0.030
"""How wide a strand is, and how wide a lock, whose strands lie alike."""
WALK_HW = (0.015, 0.10)
"""How far a strand is followed each way, of cropped hair and of full: followed far, a crop is streaked."""
CURLED, CURL_HW = (0.10, 0.40), 0.011
"""How much hair runs at least where it is curled, and most; the size of its coils, which are told apart by noise that follows nothing."""
MASS_HW, MASS = 0.08, (0.28, 0.45)
"""How far round itself (sigma) hair has to be hair to have a fringe, and how much of it: on the edge of a mass it is a half."""
FELT_HW, FELT, LENT = 0.025, (0.06, 0.20), 0.28
"""Over which width strands are looked for (sigma), the RMS of log luminance under which hair is felt and over which it has strands of its
own, and how much a strand drawn then differs from the mean."""
LOCKS = 0.6
"""How much locks add to what strands vary by."""


def parted(subject: Subject, nose_px: tuple[float, float], hand: float) -> Subject:
    """The subject with the strands of its fringe: about +1 on a strand and -1 in a gap, 0 away from hair's outline.

    `hand` is +1 or -1 as the person leans: a mirrored person gets them mirrored.
    """
    s, k = subject, subject.hw_px
    if float(s.hair.max()) < 0.5:
        return s
    h, w = s.matte.shape
    size = (max(w // 2, 1), max(h // 2, 1))
    hair, matte = (cv2.resize(m, size, interpolation=cv2.INTER_AREA) for m in (s.hair, s.matte))
    edge = np.asarray(hair * step(2 * (1 - blur(matte, DEEP_HW * k / 2)), 0.02, 0.4), np.float32)
    # A wisp that lies apart is a strand already: parted once more it would be a comb.
    edge *= step(blur(np.asarray(hair * matte, np.float32), MASS_HW * k / 2), *MASS)
    rows, columns = np.flatnonzero((edge > 0.02).any(1)), np.flatnonzero((edge > 0.02).any(0))
    if len(rows) < 8 or len(columns) < 8:
        return s
    m = round(0.1 * k)
    box = np.s_[max(rows[0] - m, 0) : rows[-1] + m, max(columns[0] - m, 0) : columns[-1] + m]
    ys, xs = np.mgrid[: hair.shape[0], : hair.shape[1]].astype(np.float32)[(np.s_[:], *box)]
    x, y = (2 * xs + 0.5 - np.float32(nose_px[0])) * np.float32(hand / k), (2 * ys + 0.5 - np.float32(nose_px[1])) / np.float32(k)
    grey = np.log(np.maximum(luminance(cv2.resize(s.albedo, size, interpolation=cv2.INTER_AREA)[box]), np.float32(2e-3)))
    # What the outline's last pixels hold is carried colour: it runs along the outline, strands do not.
    sure = np.asarray(hair[box] * step(blur(matte[box], 0.012 * k), 0.85, 0.99), np.float32)
    if float(sure.sum()) < 0.01 * k * k:
        return s
    where = np.ascontiguousarray(edge[box])
    dx, dy, runs = tresses.flow(grey, sure, sure > 0.5, x, y, k / 2, hand)
    walk = WALK_HW[0] + (WALK_HW[1] - WALK_HW[0]) * haircut.length(s.hair, k, runs, (where * sure) > 0.3)
    total = np.zeros_like(where)
    for stream, (wide, share) in enumerate(((WIDE_HW, 1.0), (LOCK_HW, LOCKS))):
        total += tresses.strung(x, y, wide, 86 + stream, dx, dy, where, walk * k / 2, share)
    # Where the photo's outline is softer than its hair the fringe is smooth as felt: what is missing there the same strands give.
    fine = np.square(grey - blur(grey, FELT_HW * k / 2))
    seen = np.sqrt(blur(np.asarray(fine * hair[box], np.float32), FELT_HW * k / 2) / np.maximum(blur(hair[box], FELT_HW * k / 2), 0.05))
    # Coils are lit along their rims: bright lines where noise passes nought, and dark between them. What shows nothing shows no coils.
    curled = (1 - step(runs, *CURLED)) * step(seen, *FELT)
    sizes = enumerate((CURL_HW, 1.7 * CURL_HW))
    near_nought = sum(np.abs(noise(x / np.float32(wide), y / np.float32(wide), 88 + i)) for i, wide in sizes)
    total = total + curled * (2 - np.float32(3.2) * np.asarray(near_nought, np.float32) - total)
    strands, drawn = np.zeros((*hair.shape, 2), np.float32), np.clip(total, -2.5, 2.5) * where
    strands[box] = np.dstack([drawn, np.float32(LENT) * np.clip(drawn, -1.5, 1.5) * (1 - step(seen, *FELT)) * hair[box]])
    whole, lent = cv2.split(cv2.resize(strands, (w, h), interpolation=cv2.INTER_LINEAR))
    albedo = s.albedo * np.exp(lent)[..., None]
    return replace(s, strands=freeze(np.ascontiguousarray(whole, np.float32)), albedo=freeze(np.asarray(albedo, np.float32)))

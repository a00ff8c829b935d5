"""Light the subject: additive, one source at a time, scene-linear and unclamped.

A white matte surface facing irradiance 1 has radiance 1. Light adds: a picture is the sum of its sources, fill and ambient.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import cv2
import numpy as np
from numba import njit, prange

from lowkey.blackbody import RGB
from lowkey.darkroom import bounce, brdf, eyes, loose, mouth, ribbed
from lowkey.darkroom.horizon import HIDES, VOID_HW, horizon, openness, unhidden, without_flecks
from lowkey.darkroom.subject import Subject
from lowkey.gaussian import blur
from lowkey.pixels import F32, freeze, luminance
from lowkey.rig import Auto, Direction, Source
from lowkey.together import both

DIFFUSION_HW = (0.0135, 0.0080, 0.0060)
"""Screen-space scattering of skin, sigma of red, green and blue (after d'Eon, Luebke & Enderton 2007)."""
DIFFUSION_SHARE, SPECULAR_GAIN = 0.8, 1.3
RELIEF, BROKEN = (9.0, 0.16), (-0.27, 0.22)
"""How much deeper pores stand in a picture's mirror image of skin than in its colour, the most deviation of it; a pore's least and most."""
HELD = np.float32(0.42)
"""Brightest mirror image of a unit lamp on moist skin: where it would burn, powder is dabbed on."""
HELD_BEHIND = 0.75
"""Share of that which goes with a lamp straight behind: at grazing angles all of a temple mirrors it, and dries to a white plate."""
TURNED, MIXED = 0.5, 3
"""Cosine to such a lamp at which skin has its share: a plate that is as bright right where it begins is cut out with scissors. And times
its share of a pixel that skin counts for it: of half skin half the mirror image was left to burn, a white wire along a hairline."""
FILL, FILL_RADIUS_DEG, CORNEA = Direction(0.0, 35.0), 4.4, 0.025
"""Where the fill's card stands, its angular radius, and what share of its light the cornea mirrors (F0 of water)."""
EVEN = 0.16
"""Share of the surround's light that comes from everywhere when a beam's end lights the room from one side."""
RETURNED = (0.55, 0.8, 7.0)
"""Irradiance that the beam's end on the room's far side gives what faces it, against the surround's own: at the face under a lamp in the
middle, and under one at the side, and at the chest under a lamp that stands above."""
RETURN_AHEAD, RETURN_LOW = 0.43, 0.5
"""How far before the sitter (over how far aside) a beam from the side ends, and how low, of the key's height; others end straight opposite.
Straight opposite the key it lit the outer cheek at 28 to 40 codes and the nose's side at 12 to 23, a dark pillar down the face."""
SUNK, THREAD = 0.6, 0.7
"""Share of that light which a mass of hair swallows, and of the room's that a single hair does not show."""
FUZZ = (0.002, 0.05)
"""Share of an even surround that the fuzz of cloth throws back face on, and how much more at grazing angles."""
THREAD_HW = 0.006
"""How far light wanders between the threads of pale cloth before it comes out, sigma: dark cloth swallows it on the way."""
HAIR_WRAP = 0.36
"""How far (radians) below its tangent plane a mass of strands is still lit: the angle at which `_shade` ends it."""
THICK_HW = 0.03
"""How far round itself hair has to be hair to be a mass of it."""
SWEEPS_DEG, MOST_SWEEPS = (1, 2, 3, 4, 5, 6, 9, 10, 12, 15, 18, 20), 12
"""Steps between sweeps of the heightfield, degrees (divisors of 180, so that a mirror finds the same ones), and about how many at most."""
THROUGH = 1.3
"""Radiance of strands before a lamp straight behind them, undyed."""
FLAGGED, WHITE, VEILED, FLAG_BEHIND = (0.45, 0.9), (0.8, 1.4), (0.27, 0.27), -0.3
"""90th percentile of lit hair (any, white) and of a scarf against lit skin's, at most: over that a flag shades it from the key. Hair over
skin (medians of reflectance) from which it begins to be white, and is: flagged like the rest it was grey, not his. No one flags a rim."""
HAIR_GAIN = 0.62
"""Hair under a hard light against the same hair under the photo's soft one: strands shade each other."""

K = TypeVar("K")


class Relight:
    """One subject, ready for any number of sources. Results are cached per source, whatever its intensity."""

    def __init__(self, subject: Subject, keep: int = 6) -> None:
        self.subject = subject
        self._keep, self._one_at_a_time = keep, threading.Lock()
        self._lit: dict[tuple[float, ...], F32] = {}
        self._horizons: dict[int, F32] = {}
        s = subject
        depth = np.where(s.matte > 0.02, s.depth, np.float32(-8)).astype(np.float32)
        self._depth_half = np.ascontiguousarray(depth[::2, ::2])
        self._hides_half = np.ascontiguousarray(s.matte[::2, ::2] > HIDES, np.uint8)
        self._void = freeze(self._depth_half <= VOID_HW)
        self._thick = _thick(s)
        both(lambda: self._shadows(depth), self._surfaces)

    def _shadows(self, depth: F32) -> None:
        """What is read once of the form: what hides a lamp and the sky."""
        s, (h, w) = self.subject, depth.shape
        self._tangent_half, self._wrap_half = _tangent_plane(s, self._thick)
        self._loose = loose.Loose(s, self._thick)
        self._ribbed = ribbed.Ribbed(s)
        self._mouth = mouth.Mouth(s)
        # The open sky is smooth: a coarse grid of about 80 px a head-width will do.
        self._coarse = n = 4 if s.hw_px >= 200 else 2
        coarse = np.ascontiguousarray(depth[::n, ::n])
        facing = _blur(s.normal * s.matte[..., None], 0.4 * n)[::n, ::n]
        facing = facing / np.maximum(np.linalg.norm(facing, axis=-1, keepdims=True), np.float32(1e-6))
        self._depth_coarse, self._facing_coarse = coarse, np.ascontiguousarray(facing)
        self._open_coarse = openness(coarse, self._facing_coarse, s.hw_px / n)
        self.open = freeze(_enlarged(_soften(self._open_coarse, coarse > VOID_HW, 1.0), n, (h, w)))
        """Share of the sky each pixel sees, f32[h, w]."""
        self._skin_mass = [_blur(s.skin * s.matte, sigma * s.hw_px) for sigma in DIFFUSION_HW]

    def _surfaces(self) -> None:
        """What is read once of skin, hair and cloth: how they mirror a lamp and pass it on."""
        s = self.subject
        self.edge, self._gleam, self._turned = loose.edge(s), loose.gleam(s), loose.turned(s)
        """What thin hair and the rims of ears pass on of a lamp behind them, f32[h, w, 3]; what hair mirrors; what of a lamp it returns."""
        # No flag stands before hair: over a flagged neck, the neck's share of the room is none of its mirror's.
        self._room = loose.room_mirrored(s) / (1 if s.room is None else np.maximum(s.room, 1))
        self._pale = s.cloth * np.clip(luminance(s.albedo) * np.float32(1.6) - np.float32(0.1), 0, 0.9)
        pale = bool(self._pale.max() > 0.2)
        self._cloth_mass = np.maximum(_blur(s.cloth, THREAD_HW * s.hw_px), np.float32(1e-3)) if pale else None
        self._normal = eyes.eyeballs(s)
        self._tangent, self._strand = _strands(s)
        self._pores = _pores(s)
        # A wet eye mirrors the lamp as one point (see _catchlights); a broad lobe would veil the iris.
        self._gloss = np.asarray(s.specular * (1 - s.eyes), np.float32)

    def source(self, source: Source) -> F32:
        """Radiance f32[h, w, 3] under one source alone."""
        d = source.direction
        if isinstance(d, Auto):
            raise TypeError("aim the source first: its direction is still Auto")
        key = (round(d.azimuth_deg, 3), round(d.elevation_deg, 3), round(source.angular_radius_deg, 3), source.distance_hw, source.grid_deg)
        lit = self._kept(self._lit, key, self._keep, lambda: self._unit(d, source.angular_radius_deg, source.distance_hw, source.grid_deg))
        return np.asarray(lit * np.array(source.irradiance_rgb, np.float32), np.float32)

    def _kept(self, kept: dict[K, F32], key: K, most: int, made: Callable[[], F32]) -> F32:
        """What is kept under a key, or made and kept; the oldest goes. Two sources may be lit at once."""
        found = kept.get(key)
        if found is None:
            found = freeze(made())
            with self._one_at_a_time:
                while len(kept) >= most:
                    kept.pop(next(iter(kept)))
                kept[key] = found
        return found

    def flagged(self, source: Source) -> F32:
        """Radiance f32[h, w, 3] under the key, with a flag before it where hair or a scarf round the head would outshine the skin."""
        s, lit = self.subject, self.source(source)
        if not isinstance(source.direction, Direction) or source.direction.vector[2] < FLAG_BEHIND:
            return lit
        # The flag ends between chin and shoulder: a shirt is not flagged.
        below = (np.arange(len(s.matte), dtype=np.float32) - np.float32(s.head_px[1])) / np.float32(s.hw_px)
        veil = np.asarray(s.cloth * np.clip((np.float32(0.95) - below) / np.float32(0.4), 0, 1)[:, None], np.float32)
        light, tone, skin = luminance(lit[::3, ::3]), luminance(s.albedo[::3, ::3]), s.skin[::3, ::3] > 0.6
        for crown, most in ((s.hair, FLAGGED), (veil, VEILED)):
            covered = (crown[::3, ::3] > 0.6) & (s.matte[::3, ::3] > 0.6)
            if min(covered.sum(), skin.sum()) >= 50:
                level = np.interp(np.median(tone[covered]) / max(float(np.median(tone[skin])), 1e-6), WHITE, most)
                held = level * _bright(light[skin]) / max(_bright(light[covered]), 1e-6)
                lit = lit if held >= 1 else np.asarray(lit * (1 + crown * np.float32(held - 1))[..., None], np.float32)
        return lit

    def fill(self, ev: float, beside: F32 | None = None) -> F32:
        """Radiance f32[h, w, 3] under a card of irradiance 2**ev above the camera (minus infinity gives black).

        It stands as high as a fill is set (FILL): what looks down, brows, nose and lip, stays darker than what looks up, and each
        cornea shows the card, a glint by which the eye in the shadow is found. An eye that the lamps reach, in `beside` f32[h, w, 3],
        has its catchlight from them: one is left in each.
        """
        s = self.subject
        gain = np.float32(0.0 if math.isinf(ev) and ev < 0 else 2.0**ev)
        facing = np.maximum(s.normal @ np.array(FILL.vector, np.float32), 0) * self.open * (1 if s.room is None else s.room)
        out = np.asarray((s.albedo + self._room[..., None] * self._gleam) * (facing * gain)[..., None], np.float32)
        self._mouth.redden(out)
        # A card's radiance is its irradiance over the solid angle it fills; a cornea mirrors 2.5 % of it.
        radiance = float(gain) * CORNEA / math.sin(math.radians(FILL_RADIUS_DEG)) ** 2
        eyes.glints(out, s, FILL, radiance, beside)
        return out

    def ambient(self, rgb: RGB, key: Direction | None = None) -> F32:
        """Radiance f32[h, w, 3] under a uniform surround, occluded; contours catch a little more than the middle.

        With a `key` the room is no longer even: its beam ends on the far side, on wall and floor, and comes back from there as a broad
        light (RETURNED), so the dark side has a side of its own.
        Beside what is scattered stands what is mirrored: skin's film and the fuzz of cloth throw a dark room back at grazing angles, and
        give black its form.
        """
        s = self.subject
        grazing = 1 - np.clip(s.normal[..., 2], 0, 1)
        contour = np.float32(0.65) + np.float32(0.35) * grazing
        # The lobes' albedo toward the eye: GGX as in `_shade`, and the loose fibre, which scatters most of it ahead (`brdf.fuzz`).
        film = s.specular + np.minimum(50 * s.specular, 1) * np.float32(0.13) / np.maximum(s.roughness, np.float32(0.2)) * grazing**3
        fuzz = s.sheen * (np.float32(FUZZ[0]) + np.float32(FUZZ[1]) * grazing**2)
        mirrored = np.asarray(film * (1 - s.hair) + fuzz, np.float32)
        given = contour
        if key is not None:
            given = np.float32(EVEN) * contour
            x, y, z = key.vector
            end = np.array([-x, -RETURN_LOW * y, RETURN_AHEAD * abs(x) - z * (1 - abs(x))], np.float32)
            facing = (s.normal @ end) / np.float32(np.linalg.norm(end))
            # A lamp that stands above ends its beam on the floor, nearer to the chest than to the face.
            below = (np.arange(len(grazing), dtype=np.float32) - np.float32(s.head_px[1])) / np.float32(s.hw_px)
            t = np.clip((below - np.float32(0.4)) / np.float32(1.2), 0, 1) * min(max(key.elevation_deg / 15.0, 0.0), 1.0)
            face = np.float32(RETURNED[0] + (RETURNED[1] - RETURNED[0]) * abs(x))
            near = np.asarray(face + (np.float32(RETURNED[2]) - face) * t * t * (3 - 2 * t), np.float32)[:, None]
            given = given + near * (1 - np.float32(SUNK) * s.hair) * np.clip((facing + np.float32(0.35)) / np.float32(1.35), 0, 1) ** 2
        given = given if s.room is None else given * s.room
        # A single hair is lit round: of a room it shows a thread's width, and on the far side none is to stand there as a line of light.
        given = given if s.lone is None else given * (1 - np.float32(THREAD) * np.minimum(loose.DRAWN * s.lone, 1))
        out = np.asarray(s.albedo * ((1 - mirrored) * given)[..., None], np.float32)
        out += (mirrored * given / contour)[..., None]
        out += (self._room * given)[..., None] * self._gleam
        self._mouth.redden(out)
        out *= self.open[..., None]
        out *= np.array(rgb, np.float32)
        return out

    def visibility(self, direction: Direction, angular_radius_deg: float, distance_hw: float = math.inf) -> F32:
        """Share f32[h, w] of a disk source that nothing hides (attached shadow is not in it).

        Only what stands above the surface's own tangent plane hides: the surface itself, falling away from the lamp, has its
        edge of light from n.l alone. Asked twice, it would end in a hard line (the shadow terminator; Chiang, Li & Burley 2019).
        A near lamp is seen from every place under an azimuth and an elevation of its own, so shadows spread away from it.
        """
        x, y, z = direction.vector
        flat = math.hypot(x, y)
        h, w = self.subject.matte.shape
        if flat < 0.02 and z > 0:
            return np.ones((h, w), np.float32)
        radius = max(math.radians(angular_radius_deg), 1e-3)
        turned, elevation = self._lamp_seen(direction, distance_hw)
        # Strips across the disk, each at its own azimuth, read between sweeps of the heightfield that stand a few degrees apart.
        spread = math.degrees(math.atan2(math.sin(radius), max(flat, 0.05)))
        count = 3 if spread <= 3 else 5 if spread <= 7 else 7 if spread <= 14 else 9
        middle = math.degrees(math.atan2(y, x))
        low, high = (float(f(turned[~self._void], initial=0.0)) for f in (np.min, np.max))
        low, high = middle + low - spread, middle + high + spread
        step = next((s for s in SWEEPS_DEG if (high - low) / s < MOST_SWEEPS), SWEEPS_DEG[-1])
        first = math.floor(low / step)
        angles = np.stack([self._horizon(step * (first + i)) for i in range(math.ceil(high / step) - first + 1)])
        seen, away = np.zeros(self._depth_half.shape, np.float32), middle - step * first
        unhidden(angles, turned, elevation, self._tangent_half, self._wrap_half, away, step * first, spread, count, step, radius, seen)
        seen = without_flecks(self._loose.shade(_soften(seen, ~self._void, 0.8)), self.subject.skin[::2, ::2], self.subject.hw_px / 2)
        return _enlarged(seen, 2, (h, w))

    def _lamp_seen(self, direction: Direction, distance_hw: float) -> tuple[F32, F32]:
        """Of each pixel at half size: how far the lamp's azimuth in the picture plane is turned (degrees), its elevation (radians)."""
        x, y, z = direction.vector
        if math.isinf(distance_hw):
            nil = np.zeros(self._depth_half.shape, np.float32)
            return nil, nil + np.float32(math.atan2(z, math.hypot(x, y)))
        s = self.subject
        rows, columns = (2 * np.arange(n, dtype=np.float32) for n in self._depth_half.shape)
        to_x = np.float32(x * distance_hw) - (columns - np.float32(s.head_px[0])) / np.float32(s.hw_px)
        to_y = (np.float32(y * distance_hw) + (rows - np.float32(s.head_px[1])) / np.float32(s.hw_px))[:, None]
        to_z = np.float32(z * distance_hw) - np.where(self._void, np.float32(0), self._depth_half)
        turned = np.degrees(np.arctan2(to_y * np.float32(x) - to_x * np.float32(y), to_x * np.float32(x) + to_y * np.float32(y)))
        return np.asarray(turned, np.float32), np.asarray(np.arctan2(to_z, np.hypot(to_x, to_y)), np.float32)

    def _horizon(self, azimuth_deg: float) -> F32:
        """Horizon at half size toward an azimuth of the picture plane, rounded to half degrees and kept."""
        step = round(azimuth_deg * 2) % 720
        k, hides = self.subject.hw_px / 2, self._hides_half
        return self._kept(self._horizons, step, 60, lambda: horizon(self._depth_half, math.radians(step / 2), k, hides=hides))

    def _unit(self, direction: Direction, angular_radius_deg: float, distance_hw: float, grid_deg: float) -> F32:
        """Radiance f32[h, w, 3] per unit irradiance."""
        s, behind = self.subject, -direction.vector[2]
        h, w = s.matte.shape
        seen = self.visibility(direction, angular_radius_deg, distance_hw)
        seen = self._ribbed.shaded(seen, direction, math.sin(math.radians(angular_radius_deg)))
        diffuse, gloss = np.zeros((h, w), np.float32), np.zeros((h, w), np.float32)
        _shade(
            s.matte, self._normal, s.depth, seen, s.skin, s.hair, self._thick, s.cloth, s.roughness, self._gloss, s.sheen, self._tangent,
            self._strand, self._pores, np.array(direction.vector, np.float64), math.sin(math.radians(angular_radius_deg)),
            0.0 if math.isinf(distance_hw) else distance_hw, math.radians(grid_deg / 2), np.array(s.head_px), s.hw_px, s.shine,
            diffuse, gloss,
        )  # fmt: skip
        if self._cloth_mass is not None:
            diffuse += self._pale * (_blur(diffuse * s.cloth, THREAD_HW * s.hw_px) / self._cloth_mass - diffuse)
        if s.shine > 1.0:
            # Leather, too, keeps its grain only where its sheen is held; wool mirrors nothing.
            for surface, most in ((np.minimum(MIXED * s.skin, 1), HELD), (s.cloth * (s.specular > 0), 2 * HELD)):
                held = most * np.float32(1 - HELD_BEHIND * max(behind, 0.0))
                if most == HELD and (far := min((behind - 0.35) / 0.35, 1.0)) > 0:
                    facing = np.clip(self._normal @ np.array(direction.vector, np.float32) / np.float32(TURNED), 0.02, 1)
                    held = held * (1 + np.float32(far) * (facing - 1))
                gloss += surface * (held * (1 - np.exp(-gloss / held)) - gloss)
        keep = _without_islands(diffuse, s)
        diffuse *= keep
        gloss *= keep
        self._mouth.spread(diffuse, direction.vector)
        self._mouth.dry(gloss)
        eyes.spread(diffuse, s)
        out = np.empty((h, w, 3), np.float32)
        mask = s.skin * s.matte
        mix = np.float32(DIFFUSION_SHARE) * s.skin
        for c, sigma in enumerate(DIFFUSION_HW):
            spread = _blur(diffuse * mask, sigma * s.hw_px) / np.maximum(self._skin_mass[c], np.float32(1e-3))
            out[..., c] = diffuse + mix * (spread - diffuse)
        out += self._bounce(diffuse)
        self._mouth.redden(out)
        out *= s.albedo
        out += gloss[..., None] * self._gleam
        out *= self._turned[..., None]
        if behind > 0:
            # Strands before a lamp pass its light on (the TT lobe of Marschner et al. 2003), dyed once by their pigment.
            out += self.edge * (keep * loose.reached(s, seen, direction.vector[:2]) * np.float32(THROUGH * behind))[..., None]
        eyes.catchlights(out, s, direction, diffuse)
        return out

    def _bounce(self, diffuse: F32) -> F32:
        """Irradiance f32[h, w, 3] that hollows get back from the lit surfaces round them."""
        s, n = self.subject, self._coarse
        glow = _blur(np.asarray(s.albedo * (diffuse * s.matte)[..., None], np.float32), 0.4 * n)[::n, ::n]
        back = bounce.returned(self._depth_coarse, self._facing_coarse, np.ascontiguousarray(glow), self._open_coarse, s.hw_px / n)
        return _enlarged(np.asarray(_blur(back, 0.7), np.float32), 2 * n, s.matte.shape)


@njit(cache=True, parallel=True)
def _shade(
    matte: Any, normal: Any, depth: Any, seen: Any, skin: Any, hair: Any, thick: Any, cloth: Any, roughness: Any, specular: Any, sheen: Any,
    tangent: Any, strand: Any, pores: Any, light: Any, sin_r: float, distance: float, grid: float, centre: Any, hw_px: float,
    shine_of_skin: float, diffuse: Any, gloss: Any,
) -> None:  # fmt: skip
    """Diffuse irradiance and glossy radiance of every subject pixel under one unit source."""
    h, w = matte.shape
    for y in prange(h):
        for x in range(w):
            if matte[y, x] < 0.004:
                continue
            lx, ly, lz = light[0], light[1], light[2]
            power = 1.0
            if distance > 0.0:
                # A near lamp: its own direction and inverse-square fall-off for each point.
                px, py = (x - centre[0]) / hw_px, -(y - centre[1]) / hw_px
                qx, qy, qz = lx * distance - px, ly * distance - py, lz * distance - depth[y, x]
                r2 = max(qx * qx + qy * qy + qz * qz, 0.25)
                r = math.sqrt(r2)
                lx, ly, lz = qx / r, qy / r, qz / r
                power = distance * distance / r2
                if grid < 1.5:
                    # A honeycomb grid, aimed at the head: the face is inside its beam, the chest on its slope.
                    off = math.acos(min(max((qx * light[0] + qy * light[1] + qz * light[2]) / r, -1.0), 1.0)) / grid
                    power /= 1.0 + off * off * off * off
            nx, ny, nz = normal[y, x, 0], normal[y, x, 1], normal[y, x, 2]
            mu = nx * lx + ny * ly + nz * lz
            see = seen[y, x]
            base = brdf.cosine(mu, max(sin_r, 1e-3)) * see * power
            k = hair[y, x]
            # What the surface mirrors neither goes in nor comes out (Ashikhmin & Shirley 2000): the lobe's own albedo toward the
            # lamp and toward the eye, fitted to GGX with F0 .036. Grazing light is mostly mirrored, so terminators close early.
            f0 = specular[y, x]
            gain = SPECULAR_GAIN * (1.0 + (shine_of_skin - 1.0) * skin[y, x])
            if f0 > 0.0:
                steep = 0.13 / max(roughness[y, x], 0.2)
                to_eye = f0 + steep * (1.0 - min(max(nz, 0.0), 1.0)) ** 3
                to_lamp = f0 + steep * (1.0 - min(max(mu, 0.0), 1.0)) ** 3
                # Make-up's shine lies on top and takes nothing: what is lost is bare skin's own mirror image.
                base *= 1.0 - min(SPECULAR_GAIN * to_eye, 1.0) * (1.0 - k)
                base *= 1.0 - min(SPECULAR_GAIN * to_lamp, 1.0) * (1.0 - k)
            if sheen[y, x] > 0.0:
                # Yarn gets what its loose fibre lets through.
                base *= 1.0 - min(sheen[y, x], 1.0) * (1.0 - brdf.through(mu, nz))
            shine, glow = 0.0, 0.0
            if see > 0.0:
                length = math.sqrt(lx * lx + ly * ly + (lz + 1.0) ** 2) + 1e-6
                hx, hy, hz = lx / length, ly / length, (lz + 1.0) / length
                nh = max(nx * hx + ny * hy + nz * hz, 0.0)
                nv = max(nz, 0.04)
                vh = max(hz, 0.0)
                if f0 > 0.0 and k < 1.0:
                    rough = roughness[y, x]
                    # Skin carries two lobes; a source's size widens both.
                    wide = min(math.sqrt(1.15 * rough * rough + sin_r * 0.5), 1.0)
                    tight = min(math.sqrt(0.55 * rough * rough + sin_r * 0.5), 1.0)
                    lobe = 0.7 * brdf.ggx(mu, nv, nh, vh, wide, f0) + 0.3 * brdf.ggx(mu, nv, nh, vh, tight, f0)
                    shine += gain * lobe * (1.0 - k) * pores[y, x]
                if sheen[y, x] > 0.0:
                    shine += sheen[y, x] * brdf.fuzz(mu, nv, -lz) * (1.0 - k)
                if k > 0.0:
                    tx, ty, tz = tangent[y, x, 0], tangent[y, x, 1], tangent[y, x, 2]
                    tl = tx * lx + ty * ly + tz * lz
                    facing = min(max((mu + 0.25) / 1.25, 0.0), 1.0)
                    # The mirror lobe is white and weak, the one that went through the strand has its colour.
                    narrow = strand[y, x] * facing * k
                    shine += 0.020 * narrow * brdf.strand(tl, tz, -0.10, 0.14)
                    glow = 0.4 * narrow * brdf.strand(tl, tz, 0.12, 0.24)
            if k > 0.0:
                # Light wraps round a mass of strands and fades instead of ending.
                wrap = min(max((mu + 0.35) / 1.35, 0.0), 1.0)
                base += (k - thick[y, x]) * (HAIR_GAIN - 1.0) * base + thick[y, x] * (wrap * wrap * HAIR_GAIN * see * power - base)
            diffuse[y, x] = base + glow * see * power
            gloss[y, x] = shine * see * power


def _bright(light: F32) -> float:
    """90th percentile of what is lit: over a tenth of the brightest."""
    return float(np.percentile(light[light >= 0.1 * np.percentile(light, 99)], 90))


def _without_islands(diffuse: F32, s: Subject) -> F32:
    """Factor f32[h, w] that sinks lit flecks lying apart in the dark (smaller than about 1 % of the face) into that dark."""
    h, w = diffuse.shape
    size = (max(1, w // 4), max(1, h // 4))
    small = cv2.resize(diffuse, size, interpolation=cv2.INTER_AREA)
    peak = float(small.max())
    if peak <= 0:
        return np.ones((h, w), np.float32)
    floor = 0.03 * peak
    lit = (small > floor).astype(np.uint8)
    count, labels = cv2.connectedComponents(lit, connectivity=8)
    face = max(float(s.hw_px / 4) ** 2 * 1.1, 1.0)
    # An island's size is its lit area, not that of its fading edge.
    weight = np.minimum(small / np.float32(0.6 * peak), 1)
    area = np.bincount(labels.ravel(), weights=weight.ravel(), minlength=count) / face
    keep = np.clip((area - 0.004) / 0.008, 0, 1).astype(np.float32)
    keep[0] = 1
    if (keep >= 1).all():
        return np.ones((h, w), np.float32)
    factor = np.asarray(cv2.erode(keep[labels], np.ones((5, 5), np.uint8)), np.float32)
    whole = np.asarray(cv2.resize(_blur(factor, 1.2), (w, h), interpolation=cv2.INTER_LINEAR), np.float32)
    # Down to the level of the dark round them, not below it.
    return np.asarray(whole + (1 - whole) * np.minimum(np.float32(floor) / np.maximum(diffuse, np.float32(1e-6)), 1), np.float32)


def _thick(s: Subject) -> F32:
    """Share f32[h, w] of hair that is a mass of strands: a beard's or a brow's few lie on skin, and end with its light."""
    wide = _blur(s.hair, THICK_HW * s.hw_px)
    t = np.clip((wide - np.float32(0.45)) / np.float32(0.45), 0, 1)
    return np.asarray(s.hair * t * t * (3 - 2 * t), np.float32)


def _tangent_plane(s: Subject, thick: F32) -> tuple[F32, F32]:
    """At half size: the normals f32[h, w, 3] of the form without its pores, and how far below its plane light reaches (radians)."""
    form = _blur(s.normal * s.matte[..., None], 0.012 * s.hw_px)[::2, ::2]
    form = form / np.maximum(np.linalg.norm(form, axis=-1, keepdims=True), np.float32(1e-6))
    wrap = np.float32(HAIR_WRAP) * _blur(thick, 0.006 * s.hw_px)[::2, ::2]
    return freeze(np.ascontiguousarray(form, np.float32)), freeze(np.ascontiguousarray(wrap, np.float32))


def _strands(s: Subject) -> tuple[F32, F32]:
    """Strand tangents f32[h, w, 3] from the structure tensor of the albedo, and strength f32[h, w] of their highlights.

    The strength is the photo's own strand contrast (luminance over its blurred self) times how coherent the strands run.
    """
    h, w = s.matte.shape
    if s.hair.max() < 0.05:
        return np.zeros((h, w, 3), np.float32), np.zeros((h, w), np.float32)
    luma = np.log(np.maximum(luminance(s.albedo), np.float32(2e-3)))
    gx, gy = cv2.Scharr(luma, cv2.CV_32F, 1, 0), cv2.Scharr(luma, cv2.CV_32F, 0, 1)
    sigma = 0.02 * s.hw_px
    xx, yy, xy = (_blur(a, sigma) for a in (gx * gx, gy * gy, gx * gy))
    # The strand runs across the gradient: the eigenvector of the small eigenvalue.
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)
    coherence = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / np.maximum(xx + yy, np.float32(1e-8))
    tx, ty = np.cos(angle), -np.sin(angle)
    n = s.normal
    nz = np.maximum(n[..., 2], np.float32(0.15))
    tz = -(tx * n[..., 0] + ty * n[..., 1]) / nz
    length = np.sqrt(tx * tx + ty * ty + tz * tz)
    tangent = np.stack([tx / length, ty / length, tz / length], -1).astype(np.float32)
    # Where the photo shows no strands (crushed or faded dark hair) there is no highlight either.
    fine = luma - _blur(luma, 0.03 * s.hw_px)
    seen = np.clip((np.sqrt(_blur(fine * fine, 0.03 * s.hw_px)) - np.float32(0.05)) / np.float32(0.15), 0, 1)
    contrast = np.exp(np.clip(fine, -1.5, 0.8) * np.float32(1.5))
    # Gaps between locks lie in the shade of the locks: what shines there is hidden.
    wide = 0.12 * s.hw_px
    gap = luma - _blur(luma * s.hair, wide) / np.maximum(_blur(s.hair, wide), np.float32(1e-2))
    contrast *= np.exp(np.clip(gap + np.float32(0.3), -2.5, 0))
    return tangent, (contrast * seen * (np.float32(0.25) + np.float32(0.75) * coherence)).astype(np.float32)


def _pores(s: Subject) -> F32:
    """Factor f32[h, w] on the shine of skin: pores and fine lines, dark in the photo, break it up; 1 elsewhere and on lips."""
    luma, skin = np.log(np.maximum(luminance(s.albedo), np.float32(2e-3))), s.skin * (1 if s.lips is None else 1 - s.lips)
    fine = np.clip(luma - _blur(luma, 0.010 * s.hw_px), -0.5, 0.25)
    # Strong texture is hair that was taken for skin (a fringe, a beard): it does not glitter, it is dull.
    strong = _blur(fine * fine, 0.02 * s.hw_px)
    rough = strong / np.float32(0.07**2)
    dull = 1 - np.float32(0.7) * np.clip(rough - 1, 0, 1) * skin
    relief = np.float32(2.1) * fine / (1 + rough)
    if s.shine > 1.0:
        relief = np.clip(np.minimum(np.float32(RELIEF[0]), np.float32(RELIEF[1]) / np.sqrt(strong + np.float32(1e-6))) * fine, *BROKEN)
    return np.asarray(np.exp(relief * skin) * dull, np.float32)


def _enlarged(small: F32, factor: int, shape: tuple[int, int]) -> F32:
    """A map sampled at every `factor`-th pixel brought back to f32[h, w(, c)]: sample i sits exactly on pixel factor * i."""
    m = np.array([[1 / factor, 0, 0], [0, 1 / factor, 0]], np.float64)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(small, m, shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _blur(image: F32, sigma: float) -> F32:
    return blur(image, max(sigma, 0.3))


def _soften(value: F32, inside: Any, sigma: float) -> F32:
    """Blur f32[h, w] among the pixels inside only, and carry it a little beyond their edge."""
    mass = inside.astype(np.float32)
    top, base = _blur(value * mass, sigma), _blur(mass, sigma)
    near = np.where(base > 0.02, top / np.maximum(base, np.float32(1e-4)), 0)
    wide_top, wide_base = _blur(value * mass, 4 * sigma), _blur(mass, 4 * sigma)
    return np.where(base > 0.02, near, wide_top / np.maximum(wide_base, np.float32(1e-4))).astype(np.float32)

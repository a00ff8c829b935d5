"""Any encoded colour to sRGB: littleCMS for 8-bit pictures, the profile's own numbers for 16-bit ones.

Pillow's littleCMS works in 8 bits a channel only. A 16-bit picture with a matrix profile (ProPhoto, Adobe RGB, P3: nearly
all of them) is therefore taken through the profile's curves and matrix here, in float32; one with a table profile is interpolated
between what littleCMS gives for the 8-bit colours around it.
Sources: ICC.1:2022 (v4.4) and, for the curves, its sections 10.6 (curveType) and 10.18 (parametricCurveType).
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from lowkey.pixels import F32, U16, srgb_decode, srgb_encode

MID_GREY = 118
"""Code of 18 % grey in 8-bit sRGB: what lies under transparent pixels."""

ROWS = 256
"""Rows of a 16-bit picture converted at once: bounds the memory of float work."""

# XYZ (D50) to linear BT.709: the inverse of the sRGB profile's colorant matrix (ICC sRGB v2 profile, Bradford-adapted).
_SRGB_TO_XYZ = np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]])
_XYZ_TO_SRGB = np.linalg.inv(_SRGB_TO_XYZ)

NAMED = {
    "Adobe RGB": np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]]),
    "Display P3": np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]),
}
"""Linear RGB to XYZ adapted to D50: Adobe RGB (1998), annex C, gamma 563/256; Display P3 as in its ICC profile, sRGB's curve."""


@dataclass(frozen=True)
class MatrixProfile:
    """A three-component matrix profile: device code -> curve -> matrix -> XYZ D50."""

    curves: F32
    """f32[3, 65536]: linear value of each 16-bit code."""
    to_srgb: F32
    """f32[3, 3]: linear device RGB to linear BT.709."""

    def apply(self, pixels: U16) -> U16:
        """u16[h, w, 3] device codes to u16[h, w, 3] sRGB codes; colours outside sRGB are clipped a channel at a time."""
        out = np.empty_like(pixels)
        for y in range(0, len(pixels), ROWS):
            part = pixels[y : y + ROWS]
            linear = np.stack([self.curves[c][part[..., c]] for c in range(3)], -1) @ self.to_srgb.T
            out[y : y + ROWS] = np.rint(srgb_encode(linear) * 65535)
        return out


def named_gamut(name: str) -> MatrixProfile:
    """A space of NAMED, for files that name their colours without a profile."""
    x = np.arange(65536, dtype=np.float32) / 65535
    curve = x ** np.float32(563 / 256) if name == "Adobe RGB" else srgb_decode(x)
    return MatrixProfile(np.stack([curve] * 3), (_XYZ_TO_SRGB @ NAMED[name]).astype(np.float32))


def matrix_profile(icc: bytes) -> MatrixProfile | None:
    """Curves and matrix of an RGB profile, or None when it is a table profile or broken (then littleCMS decides)."""
    try:
        tags = _tags(icc)
        if icc[16:20] != b"RGB " or icc[20:24] != b"XYZ " or b"A2B0" in tags or b"A2B1" in tags:
            return None
        colorants = [_s15(tags[name][8:20]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        curves = np.stack([_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")])
    except (KeyError, struct.error, ValueError, IndexError):
        return None
    return MatrixProfile(curves.astype(np.float32), (_XYZ_TO_SRGB @ np.array(colorants).T).astype(np.float32))


def _tags(icc: bytes) -> dict[bytes, bytes]:
    count = struct.unpack_from(">I", icc, 128)[0]
    found = {}
    for i in range(min(count, 100)):
        name, at, size = struct.unpack_from(">4sII", icc, 132 + 12 * i)
        found[name] = icc[at : at + size]
    return found


def _s15(data: bytes) -> list[float]:
    return [v / 65536 for v in struct.unpack(f">{len(data) // 4}i", data)]


def _curve(tag: bytes) -> NDArray[np.float64]:
    """f64[65536] of a curveType or parametricCurveType tag (ICC.1 10.6, 10.18)."""
    x = np.arange(65536, dtype=np.float64) / 65535
    if tag[:4] == b"curv":
        n = struct.unpack_from(">I", tag, 8)[0]
        if n == 0:
            return x
        if n > 65536:
            raise ValueError("curve too long")
        table = struct.unpack_from(f">{n}H", tag, 12)
        return x ** (table[0] / 256) if n == 1 else np.interp(x, np.linspace(0, 1, n), np.array(table) / 65535)
    if tag[:4] != b"para":
        raise ValueError("unknown curve type")
    kind = struct.unpack_from(">H", tag, 8)[0]
    g, a, b, c, d, e, f = (*_s15(tag[12 : 12 + 4 * (1, 3, 4, 5, 7)[kind]]), *([0.0] * 6))[:7]
    if kind == 0:
        return x**g
    power = np.maximum(a * x + b, 0) ** g
    if kind in (1, 2):
        # Y = (aX+b)^g + c from X = -b/a on, c below it (c is 0 for kind 1).
        return np.where(a * x + b >= 0, power, 0) + (c if kind == 2 else 0)
    return np.where(x >= d, power + e, c * x + f)


@dataclass(frozen=True)
class Profile:
    """An embedded profile that littleCMS accepts."""

    handle: Any
    space: str
    """"RGB", "GRAY", "CMYK", "Lab" or another ICC colour space, without its padding."""
    data: bytes
    transforms: dict[str, Any] = field(default_factory=dict)
    """Built once for each Pillow mode."""

    def convert(self, im: Image.Image) -> Image.Image:
        """8-bit picture in the profile's own mode to RGB in sRGB: relative colorimetric with black point compensation."""
        if im.mode not in self.transforms:
            flags = ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.HIGHRESPRECALC
            intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
            srgb = ImageCms.createProfile("sRGB")
            self.transforms[im.mode] = ImageCms.buildTransform(self.handle, srgb, im.mode, "RGB", intent, flags)
        converted = ImageCms.applyTransform(im, self.transforms[im.mode])
        assert converted is not None
        return converted

    def is_srgb(self) -> bool:
        """True when it moves no colour of a 9 x 9 x 9 lattice by more than one code: then codes are kept as they are."""
        if self.space != "RGB":
            return False
        steps = np.linspace(0, 255, 9).round().astype(np.uint8)
        lattice = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(27, 27, 3)
        moved = np.asarray(self.convert(Image.fromarray(lattice))).astype(int) - lattice
        return int(np.abs(moved).max()) <= 1


def profile(icc: bytes | None, notes: list[str]) -> Profile | None:
    """The embedded profile, or None (with a note when it is there but broken)."""
    if not icc:
        return None
    try:
        handle = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        return Profile(handle, handle.profile.xcolor_space.strip(), icc)
    except Exception:
        notes.append("its colour profile is broken and was not used: read as sRGB")
        return None


def to_srgb(im: Image.Image, icc: bytes | None, notes: list[str], *, gamut: str | None = None) -> Image.Image:
    """8-bit picture (L, RGB or CMYK) to RGB in sRGB."""
    found = profile(icc, notes)
    mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}.get(found.space) if found else None
    if found and mode == "RGB" and im.mode == "L":
        im = im.convert("RGB")
    if found and mode == im.mode:
        try:
            return im if found.is_srgb() else found.convert(im)
        except ImageCms.PyCMSError:
            notes.append("its colour profile is broken and was not used: read as sRGB")
    elif found:
        notes.append(f"its colour profile is for {found.space}, not for this kind of picture, and was not used: read as sRGB")
    if im.mode == "CMYK":
        notes.append("CMYK without a profile: converted plainly, so colours are approximate; send the RGB original if there is one")
    if im.mode == "RGB" and gamut and not found:
        wide = named_gamut(gamut)
        codes = np.asarray(im)
        out = np.empty_like(codes)
        for y in range(0, len(codes), ROWS):
            out[y : y + ROWS] = np.rint(wide.apply(codes[y : y + ROWS].astype(np.uint16) * 257) / 257)
        return Image.fromarray(out)
    return im.convert("RGB")


def to_srgb16(pixels: U16, icc: bytes | None, notes: list[str], *, gamut: str | None = None) -> U16:
    """u16[h, w, 1 or 3] to u16[h, w, 3] in sRGB."""
    found = profile(icc, notes)
    if pixels.shape[2] == 1:
        table = _grey_table(found) if found and found.space == "GRAY" else None
        if table is not None:
            return np.asarray(table[pixels[..., 0]])
        pixels = np.repeat(pixels, 3, axis=2)
    if found is None:
        return named_gamut(gamut).apply(pixels) if gamut else pixels
    if found.space != "RGB":
        if found.space != "GRAY":
            notes.append(f"its colour profile is for {found.space}, not for this kind of picture, and was not used: read as sRGB")
        return pixels
    if found.is_srgb():
        return pixels
    matrix = matrix_profile(found.data)
    return matrix.apply(pixels) if matrix else _between_codes(pixels, found)


def _grey_table(found: Profile) -> U16:
    """u16[65536, 3]: sRGB code of each 16-bit grey code, between the 256 that littleCMS gives."""
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    codes = np.asarray(found.convert(ramp)).astype(np.float64)[0]
    at = np.arange(65536) / 257
    return np.stack([np.rint(np.interp(at, np.arange(256), codes[:, c]) * 257) for c in range(3)], -1).astype(np.uint16)


def _between_codes(pixels: U16, found: Profile) -> U16:
    """What littleCMS gives for the eight 8-bit colours around each 16-bit one, weighted trilinearly: exact at every 257th
    code, continuous between, within half an 8-bit code throughout."""
    out = np.empty_like(pixels)
    for y in range(0, len(pixels), ROWS):
        part = pixels[y : y + ROWS]
        low = np.minimum(part // 257, 254).astype(np.uint8)
        f = (part - low.astype(np.float32) * 257) / 257
        total = np.zeros_like(f)
        for corner in range(8):
            bits = np.array([corner >> 2 & 1, corner >> 1 & 1, corner & 1], np.uint8)
            weight = np.prod(np.where(bits, f, 1 - f), axis=-1, keepdims=True)
            total += weight * np.asarray(found.convert(Image.fromarray(low + bits)))
        out[y : y + ROWS] = np.rint(total * 257)
    return out


def over_grey(im: Image.Image, alpha: Image.Image) -> Image.Image:
    """RGB over mid-grey, in encoded values as viewers do it."""
    return Image.composite(im, Image.new("RGB", im.size, (MID_GREY,) * 3), alpha)


def over_grey16(pixels: U16, alpha: U16) -> U16:
    """u16[h, w, 3] over mid-grey by u16[h, w] coverage."""
    out = np.empty_like(pixels)
    for y in range(0, len(pixels), ROWS):
        a = alpha[y : y + ROWS, :, None].astype(np.float32) / 65535
        out[y : y + ROWS] = np.rint(pixels[y : y + ROWS] * a + MID_GREY * 257 * (1 - a))
    return out

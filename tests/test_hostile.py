"""Every file of shared/data/hostile is either read rightly or refused with one clear line."""

from __future__ import annotations

import csv
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lowkey import photo
from lowkey.errors import PhotoError

SHARED = Path(os.environ.get("LOWKEY_SHARED", Path(__file__).resolve().parents[1] / ".." / "shared"))
HOSTILE = SHARED / "data" / "hostile"
pytestmark = pytest.mark.skipif(not HOSTILE.is_dir(), reason="shared/data/hostile is not here (set LOWKEY_SHARED)")

REFUSED = {
    "zero_bytes.jpg": "photo-empty",
    "text_named.jpg": "photo-not-image",
    "html_named.png": "photo-not-image",
    "svg_script.jpg": "photo-not-image",
    "truncated_40pct.jpg": "photo-truncated",
    "truncated_header.jpg": "photo-truncated",
    "bomb_30000x30000.png": "photo-too-large",
    "one_pixel.png": "photo-too-small",
    "sliver_6000x4.jpg": "photo-too-small",
    "tiny_64.jpg": "photo-too-small",
}
READ: dict[str, tuple[tuple[int, int], str, str]] = {
    # name: size, dtype, a word that its notes must hold ("" = no note at all)
    "png_named.jpg": ((640, 640), "uint8", ""),
    "big_8000.jpg": ((4898, 4898), "uint8", "reduced"),
    "cmyk_untagged.jpg": ((640, 640), "uint8", "CMYK"),
    "cmyk_tagged.jpg": ((640, 640), "uint8", ""),
    "icc_adobergb.jpg": ((640, 640), "uint8", ""),
    "icc_prophoto.jpg": ((640, 640), "uint8", ""),
    "png_16bit.png": ((640, 640), "uint16", ""),
    "tiff_16bit.tif": ((640, 640), "uint16", ""),
    "palette_32.png": ((640, 640), "uint8", ""),
    "gray.jpg": ((640, 640), "uint8", ""),
    "heic_portrait.heic": ((640, 640), "uint8", ""),
    "avif_portrait.avif": ((640, 640), "uint8", ""),
    "progressive.jpg": ((640, 640), "uint8", ""),
    "animated.gif": ((320, 320), "uint8", "first frame"),
    "jpeg_named.nef": ((1000, 1000), "uint8", ""),
    "colorchart.dng": ((1734, 1156), "uint16", "RAW"),
    "portrait_bayer.dng": ((640, 640), "uint16", "RAW"),
    **{f"exif_orient_{k}.jpg": ((520, 640), "uint8", "") for k in range(1, 9)},
}

_read: dict[str, photo.Photo] = {}


def read(name: str) -> photo.Photo:
    """Each file is decoded once for all tests."""
    if name not in _read:
        _read[name] = photo.read(HOSTILE / name)
    return _read[name]


def codes(name: str) -> Any:
    """f64[h, w, 3] in 8-bit sRGB codes, whatever the depth."""
    pixels = read(name).pixels
    return pixels.astype(np.float64) / (257 if pixels.dtype == np.uint16 else 1)


def original() -> Any:
    """The portrait that the 640-px files were made from, at their size, f64 in 8-bit codes; checked against the lossless copy."""
    from PIL import Image

    full = photo.read(SHARED / "data" / "portraits" / "real" / "woman_red_hair.jpg").pixels
    return np.asarray(Image.fromarray(full).resize((640, 640), Image.Resampling.LANCZOS)).astype(np.float64)


def blocks(picture: Any) -> Any:
    """Means over 16 x 16 pixels: colour, free of compression noise."""
    return cv2.resize(picture, None, fx=1 / 16, fy=1 / 16, interpolation=cv2.INTER_AREA)


def test_every_file_has_an_expectation() -> None:
    listed = {row["file"] for row in csv.DictReader((HOSTILE / "EXPECTED.csv").open())}
    assert listed == set(REFUSED) | set(READ)
    assert listed == {p.name for p in HOSTILE.iterdir()} - {"EXPECTED.csv"}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refused_with_one_clear_line(name: str) -> None:
    with pytest.raises(PhotoError) as caught:
        photo.read(HOSTILE / name)
    assert caught.value.code == REFUSED[name]
    line = str(caught.value)
    assert line.startswith(f"{name}: ")
    assert line.endswith(f"[{REFUSED[name]}]")
    assert "\n" not in line
    assert len(line) < 220


@pytest.mark.parametrize("name", sorted(READ))
def test_read_with_size_depth_and_notes(name: str) -> None:
    size, dtype, word = READ[name]
    got = read(name)
    assert got.size_px == size
    assert got.pixels.shape == (size[1], size[0], 3)
    assert got.pixels.dtype == dtype
    assert not got.pixels.flags.writeable
    assert got.stem == Path(name).stem
    if word:
        assert word in " ".join(got.notes)
    else:
        assert got.notes == ()


@pytest.mark.parametrize("k", range(2, 9))
def test_orientations_are_identical(k: int) -> None:
    """Each was compressed in its own attitude, which moves single codes but no colour; test_photo has the exact case, in PNG."""
    turned, upright = codes(f"exif_orient_{k}.jpg"), codes("exif_orient_1.jpg")
    assert np.abs(turned - upright).mean() < 2.0
    assert np.abs(blocks(turned) - blocks(upright)).max() < 2.5
    assert np.abs(blocks(turned) - blocks(upright)).mean() < 0.4
    assert np.abs(blocks(turned[:, ::-1]) - blocks(upright)).max() > 50


def test_sixteen_bit_files_are_the_portrait_exactly() -> None:
    assert np.array_equal(codes("png_16bit.png"), original())
    assert np.array_equal(read("tiff_16bit.tif").pixels, read("png_16bit.png").pixels)


@pytest.mark.parametrize(
    ("name", "most", "mean", "bias"),
    [
        # Measured: 1.95 .27 .09, 2.71 .38 .38, 1.48 .25 .03 (plain JPEG noise), 1.06 .14 .05, 2.57 .54 .62, .27 .06 .00,
        # 29 2.7 .44 (32 colours, no dither), 4.2 .26 .42 (no chroma at single strands of hair).
        ("icc_adobergb.jpg", 2.0, 0.4, 0.2),
        ("icc_prophoto.jpg", 3.0, 0.5, 0.5),
        ("progressive.jpg", 2.0, 0.4, 0.1),
        ("heic_portrait.heic", 1.5, 0.3, 0.2),
        ("avif_portrait.avif", 3.0, 0.7, 0.8),
        ("cmyk_untagged.jpg", 0.5, 0.1, 0.1),
        ("palette_32.png", 35.0, 3.5, 0.8),
        ("portrait_bayer.dng", 6.0, 0.5, 0.6),
    ],
)
def test_colour_matches_the_portrait(name: str, most: float, mean: float, bias: float) -> None:
    off = blocks(codes(name)) - blocks(original())
    assert np.abs(off).max() < most
    assert np.abs(off).mean() < mean
    assert np.abs(off.mean(axis=(0, 1))).max() < bias


@pytest.mark.parametrize("name", ["cmyk_tagged.jpg", "cmyk_untagged.jpg"])
def test_cmyk_is_never_a_negative(name: str) -> None:
    assert np.corrcoef(codes(name).ravel(), original().ravel())[0, 1] > 0.97


def test_tagged_cmyk_is_managed_and_duller() -> None:
    tagged, plain = blocks(codes("cmyk_tagged.jpg")), blocks(codes("cmyk_untagged.jpg"))
    chroma = [float((c.max(-1) - c.min(-1)).mean()) for c in (tagged, plain)]
    assert chroma[0] < 0.95 * chroma[1]


def test_grey_is_the_portraits_luma() -> None:
    grey = codes("gray.jpg")
    assert np.array_equal(grey[..., 0], grey[..., 1])
    assert np.array_equal(grey[..., 0], grey[..., 2])
    luma = original() @ np.array([0.299, 0.587, 0.114])
    assert np.abs(blocks(grey[..., 0]) - blocks(luma)).max() < 2


def test_the_big_file_is_the_same_picture() -> None:
    big = cv2.resize(read("big_8000.jpg").pixels, (40, 40), interpolation=cv2.INTER_AREA).astype(float)
    assert np.abs(big - blocks(original())).max() < 4


def test_raw_keeps_the_camera_and_nothing_else() -> None:
    assert read("colorchart.dng").captured == {"camera": "Canon EOS Kiss X4"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs getrusage")
@pytest.mark.parametrize(("name", "most_mb"), [("bomb_30000x30000.png", 120), ("big_8000.jpg", 700)])
def test_peak_memory_of_the_child(name: str, most_mb: int) -> None:
    """Measured in a process of its own, so that no other child counts: 46 MB and 535 MB when this was written."""
    program = (
        "import json, resource, sys\n"
        "from lowkey import errors, photo\n"
        "try: photo.read(sys.argv[1])\n"
        "except errors.PhotoError: pass\n"
        "print(json.dumps(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))"
    )
    out = subprocess.run([sys.executable, "-c", program, str(HOSTILE / name)], capture_output=True, check=True, timeout=60)
    peak = json.loads(out.stdout) / (1024 if sys.platform != "darwin" else 1024**2)
    assert 10 < peak < most_mb


def test_a_raw_header_is_not_a_picture(tmp_path: Path) -> None:
    """LibRaw makes garbage of a bare DNG header when the pixels' place is moved inside the file: 13 kB for 2 megapixels."""
    data = bytearray((HOSTILE / "colorchart.dng").read_bytes()[:13_000])
    at = data.index((273).to_bytes(2, "little") + b"\x04\x00")
    data[at + 8 : at + 12] = (1000).to_bytes(4, "little")
    counts = data.index((279).to_bytes(2, "little") + b"\x04\x00")
    for name, bytes_there in (("short.dng", 3_905_328), ("lying.dng", 11_000)):
        data[counts + 8 : counts + 12] = bytes_there.to_bytes(4, "little")
        (tmp_path / name).write_bytes(data)
        with pytest.raises(PhotoError, match=r"\[photo-truncated\]"):
            photo.read(tmp_path / name)


@pytest.mark.parametrize(
    "name", ["portrait_bayer.dng", "heic_portrait.heic", "avif_portrait.avif", "tiff_16bit.tif", "png_16bit.png", "animated.gif"]
)
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_cut_file_is_never_half_a_picture(name: str, share: float, tmp_path: Path) -> None:
    data = (HOSTILE / name).read_bytes()
    first_frame_ends = name == "animated.gif" and share > 0.4
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    if first_frame_ends:
        assert np.array_equal(photo.read(tmp_path / name).pixels, read(name).pixels)
        return
    with pytest.raises(PhotoError) as caught:
        photo.read(tmp_path / name)
    assert caught.value.code in ("photo-truncated", "photo-damaged")


def test_a_raw_file_is_turned_upright(tmp_path: Path) -> None:
    data = bytearray((HOSTILE / "colorchart.dng").read_bytes())
    data[data.index(struct.pack("<HHI", 274, 3, 1)) + 8] = 6
    (tmp_path / "a.dng").write_bytes(data)
    turned = photo.read(tmp_path / "a.dng").pixels
    upright = read("colorchart.dng").pixels
    assert turned.shape == (1734, 1156, 3)
    assert np.abs(turned.astype(float) - np.rot90(upright, -1)).mean() < 2 * 257  # the demosaic is not symmetric
    assert np.abs(turned.astype(float) - np.rot90(upright, 1)).mean() > 20 * 257


@pytest.mark.parametrize("tail", [b"\xff\xd9", b"", bytes(80_000)])
@pytest.mark.parametrize("name", ["jpeg_named.nef", "progressive.jpg"])
def test_a_jpeg_without_its_second_half_is_refused(name: str, tail: bytes, tmp_path: Path) -> None:
    """With an end marker put on, or zeros, decoders are content and give a grey lower half."""
    data = (HOSTILE / name).read_bytes()
    (tmp_path / "half.jpg").write_bytes(data[: len(data) // 2] + tail)
    with pytest.raises(PhotoError, match=r"\[photo-truncated\]"):
        photo.read(tmp_path / "half.jpg")

"""The photo room: reading with care, colour, orientation, what EXIF is kept, limits on the child, writing whole files."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import socket
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from lowkey import photo
from lowkey.errors import PhotoError, StoreError
from lowkey.photo import codecs, colour, containers, decoder, exif, finish, reading, sniff, writing

RNG = np.random.default_rng(7)
CHART = cv2.resize(RNG.integers(0, 256, (6, 8, 3), np.uint8), (160, 120), interpolation=cv2.INTER_LINEAR)
"""u8[120, 160, 3]: smooth, saturated, not symmetric."""


def saved(path: Path, pixels: Any, **options: Any) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


def refusal(path: Path | str, **options: Any) -> str:
    with pytest.raises(PhotoError) as caught:
        photo.read(path, **options)
    assert "\n" not in str(caught.value)
    return caught.value.code


# --- what comes back ---------------------------------------------------------------------------------------------------------


def test_a_png_comes_back_as_it_is(tmp_path: Path) -> None:
    path = saved(tmp_path / "my face.png", CHART)
    got = photo.read(path)
    assert np.array_equal(got.pixels, CHART)
    assert got.hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (got.stem, got.size_px, got.notes, dict(got.captured)) == ("my face", (160, 120), (), {})
    with pytest.raises(ValueError, match="read-only"):
        got.pixels[0, 0] = 0


def test_linear_is_srgb_decoded_and_cropped(tmp_path: Path) -> None:
    got = photo.read(saved(tmp_path / "a.png", CHART))
    part = got.linear((10, 20, 40, 60))
    assert part.shape == (40, 30, 3)
    assert part.dtype == np.float32
    code = CHART[20, 10, 1] / 255
    expected = code / 12.92 if code <= 0.04045 else ((code + 0.055) / 1.055) ** 2.4
    assert part[0, 0, 1] == pytest.approx(expected, rel=1e-5)
    assert np.array_equal(got.linear()[20:60, 10:40], part)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["png8", "png16", "tiff8", "tiff16", "webp", "avif", "heic"])
def test_all_orientations_come_out_upright_and_identical(kind: str, orientation: int, tmp_path: Path) -> None:
    wide = CHART.astype(np.uint16) * 257
    stored = finish.turned(wide, {6: 8, 8: 6}.get(orientation, orientation))  # the turn that the tag undoes
    block = Image.Exif()
    block[274] = orientation
    path = tmp_path / "turned"
    if kind == "png8":
        Image.fromarray((stored >> 8).astype(np.uint8)).save(path, "PNG", exif=block)
    elif kind in ("avif", "heic"):
        import pillow_heif

        pillow_heif.register_heif_opener()
        fmt = {"heic": "HEIF"}.get(kind, "AVIF")
        Image.fromarray((stored >> 8).astype(np.uint8)).save(path, fmt, quality=100, exif=block.tobytes())
    elif kind == "webp":
        Image.fromarray((stored >> 8).astype(np.uint8)).save(path, "WEBP", lossless=True, exif=block.tobytes())
    elif kind == "png16":
        data = cv2.imencode(".png", stored[..., ::-1])[1].tobytes()
        body = block.tobytes().removeprefix(b"Exif\0\0")
        chunk = struct.pack(">I", len(body)) + b"eXIf" + body + struct.pack(">I", zlib.crc32(b"eXIf" + body))
        path.write_bytes(data[:33] + chunk + data[33:])
    else:
        import tifffile

        pixels = stored if kind == "tiff16" else (stored >> 8).astype(np.uint8)
        tifffile.imwrite(path, pixels, photometric="rgb", compression="zlib", extratags=[(274, "H", 1, orientation, True)])
    data = path.read_bytes()
    got = np.asarray(codecs.decode(sniff.kind_of(data), data, 24).pixels)  # here, not in a child: forty of them take a while
    if kind in ("avif", "heic"):  # lossy, and the turn is a box of the container
        assert got.shape == CHART.shape
        assert np.abs(got - CHART.astype(float)).mean() < 3
        return
    assert np.array_equal(got, wide if kind.endswith("16") else CHART)


def test_reduced_to_the_most_megapixels_with_a_note(tmp_path: Path) -> None:
    for name, pixels in (("a.png", CHART), ("b.png", CHART.astype(np.uint16) * 257)):
        cv2.imwrite(str(tmp_path / name), pixels[..., ::-1])
        got = photo.read(tmp_path / name, max_megapixels=0.0048)
        assert got.size_px == (80, 60)
        assert got.pixels.dtype == pixels.dtype
        assert "160 x 120 to 80 x 60" in got.notes[0]
        halved = cv2.resize(pixels, (80, 60), interpolation=cv2.INTER_AREA)
        assert np.abs(got.pixels.astype(float) - halved).mean() / (257 if "b" in name else 1) < 2


@pytest.mark.parametrize("wide", [False, True])
def test_transparency_is_laid_over_mid_grey_on_purpose(wide: bool, tmp_path: Path) -> None:
    cut = np.dstack([CHART, np.full((120, 160), 255, np.uint8)])
    cut[:, :80, 3] = 0
    cut[:, 80:100, 3] = 51
    if wide:
        cv2.imwrite(str(tmp_path / "a.png"), (cut.astype(np.uint16) * 257)[..., [2, 1, 0, 3]])
    else:
        Image.fromarray(cut).save(tmp_path / "a.png")
    got = photo.read(tmp_path / "a.png")
    codes = got.pixels / (257 if wide else 1)
    assert np.all(codes[:, :80] == colour.MID_GREY)
    assert np.abs(codes[:, 80:100] - (0.2 * CHART[:, 80:100] + 0.8 * colour.MID_GREY)).max() <= 1
    assert np.array_equal(codes[:, 100:], CHART[:, 100:])
    assert got.notes == ("it has transparent parts: laid over mid-grey",)
    opaque = np.dstack([CHART, np.full((120, 160), 255, np.uint8)])
    assert photo.read(saved(tmp_path / "b.png", opaque)).notes == ()


def test_palette_grey_and_grey_alpha(tmp_path: Path) -> None:
    grey = CHART[..., 1]
    Image.fromarray(grey).save(tmp_path / "l.png")
    assert np.array_equal(photo.read(tmp_path / "l.png").pixels, np.repeat(grey[..., None], 3, 2))
    assert cv2.imwrite(str(tmp_path / "l16.png"), grey.astype(np.uint16) * 257)
    assert np.array_equal(photo.read(tmp_path / "l16.png").pixels, np.repeat(grey[..., None].astype(np.uint16) * 257, 3, 2))
    palette = Image.fromarray(CHART).quantize(16)
    palette.save(tmp_path / "p.png", transparency=3)
    got = photo.read(tmp_path / "p.png")
    index = np.asarray(palette)
    assert np.all(got.pixels[index == 3] == colour.MID_GREY)
    assert np.array_equal(got.pixels[index != 3], np.asarray(palette.convert("RGB"))[index != 3])


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate"])
def test_sixteen_bit_tiff_keeps_every_bit(compression: str, tmp_path: Path) -> None:
    pixels = RNG.integers(0, 65536, (120, 130, 3), np.uint16)
    flag = {"raw": 1, "tiff_lzw": 5, "tiff_adobe_deflate": 8}[compression]
    assert cv2.imwrite(str(tmp_path / "a.tif"), pixels[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, flag])
    assert np.array_equal(photo.read(tmp_path / "a.tif").pixels, pixels)


def test_an_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.fromarray(f) for f in (CHART, 255 - CHART)]
    for name, fmt in (("a.webp", "WEBP"), ("a.png", "PNG")):
        frames[0].save(tmp_path / name, fmt, save_all=True, append_images=frames[1:], lossless=True)
        got = photo.read(tmp_path / name)
        assert np.array_equal(got.pixels, CHART)
        assert got.notes == ("it is an animation: its first frame was taken",)


# --- colour ------------------------------------------------------------------------------------------------------------------


def icc(colorants: Any, curve: bytes, space: bytes = b"RGB ") -> bytes:
    """A matrix profile (ICC v2): colorants [3, 3] with R G B XYZ in columns, one curve tag for all three."""

    def xyz(v: Any) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(x * 65536) for x in v))

    tags = {b"wtpt": xyz((0.9642, 1, 0.8249)), b"desc": b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(79)}
    tags |= {n + b"XYZ": xyz(np.asarray(colorants)[:, i]) for i, n in enumerate((b"r", b"g", b"b"))}
    tags |= {n + b"TRC": curve for n in (b"r", b"g", b"b")}
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, value in tags.items():
        value += bytes(-len(value) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(value))
        body += value
    header = struct.pack(">I4sI4s4s4s", at + len(body), b"none", 0x02400000, b"mntr", space, b"XYZ ") + bytes(12) + b"acsp" + bytes(88)
    return header[:128] + struct.pack(">I", len(tags)) + table + body


GAMMA_18 = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(1.8 * 256)) + b"\0\0"
PARA_3 = b"para\0\0\0\0" + struct.pack(">HH5i", 3, 0, *(round(v * 65536) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)))
TABLE = b"curv\0\0\0\0" + struct.pack(">I", 1024) + (np.linspace(0, 1, 1024) ** 2.1 * 65535).astype(">u2").tobytes()
PROPHOTO = [[0.79767, 0.13519, 0.03134], [0.28804, 0.71188, 0.00009], [0.0, 0.0, 0.82491]]
"""ROMM RGB (ANSI/I3A IT10.7666): gamma 1.8, D50."""


@pytest.mark.parametrize(
    ("colorants", "curve"), [(PROPHOTO, GAMMA_18), (colour.NAMED["Adobe RGB"], TABLE), (colour.NAMED["Display P3"], PARA_3)]
)
@pytest.mark.parametrize("tables", [False, True])
def test_sixteen_bit_colour_agrees_with_littlecms(colorants: Any, curve: bytes, tables: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both 16-bit ways (curves and matrix, between 8-bit codes) against littleCMS, on colours that 8 bits can hold."""
    data = icc(colorants, curve)
    if tables:
        monkeypatch.setattr(colour, "matrix_profile", lambda _: None)
    wide = colour.to_srgb16(CHART.astype(np.uint16) * 257, data, notes := [])
    narrow = np.asarray(colour.to_srgb(Image.fromarray(CHART), data, notes)).astype(float)
    assert notes == []
    off = np.abs(wide / 257 - narrow)
    assert off.max() <= (0.0 if tables else 1.0)
    assert off.mean() < 0.4
    assert np.abs(narrow - CHART).mean() > 5  # the profile does matter


def test_a_wide_gamut_sixteen_bit_png_keeps_fine_steps(tmp_path: Path) -> None:
    """A ramp in 16-bit ProPhoto comes out without banding: far more than 256 codes, each close to the exact value."""
    ramp = np.linspace(6000, 60000, 4096).astype(np.uint16)
    pixels = np.broadcast_to(ramp[None, :, None], (100, 4096, 3)).copy()
    data = cv2.imencode(".png", pixels)[1].tobytes()
    profile = b"p\0\0" + zlib.compress(icc(PROPHOTO, GAMMA_18))
    chunk = struct.pack(">I", len(profile)) + b"iCCP" + profile + struct.pack(">I", zlib.crc32(b"iCCP" + profile))
    (tmp_path / "a.png").write_bytes(data[:33] + chunk + data[33:])
    got = photo.read(tmp_path / "a.png").pixels[50, :, 1]
    linear = (ramp / 65535) ** (461 / 256)  # the gamma as u8Fixed8 holds it
    exact = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 65535
    assert got.dtype == np.uint16
    assert len(np.unique(got)) > 4000
    assert np.abs(got - exact).max() < 40  # of 65535


def test_srgb_profiles_leave_codes_alone_and_broken_ones_are_noted(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    got = photo.read(saved(tmp_path / "a.png", CHART, icc_profile=srgb))
    assert np.array_equal(got.pixels, CHART)
    assert got.notes == ()
    got = photo.read(saved(tmp_path / "b.png", CHART, icc_profile=srgb[:200] + bytes(200)))
    assert np.array_equal(got.pixels, CHART)
    assert "profile" in got.notes[0]
    wrong = icc(PROPHOTO, GAMMA_18, b"CMYK")
    assert "profile" in photo.read(saved(tmp_path / "c.png", CHART, icc_profile=wrong)).notes[0]


def test_adobe_rgb_named_by_exif_alone(tmp_path: Path) -> None:
    """Cameras set to Adobe RGB often embed no profile: EXIF's R03 must be as good as one."""
    block = Image.Exif()
    block[271] = "Canon"
    block.get_ifd(0x8769)[0xA001] = 0xFFFF
    block.get_ifd(0x8769)[0xA005] = {1: "R03"}
    by_exif = photo.read(saved(tmp_path / "a.png", CHART, exif=block)).pixels.astype(float)
    gamma = b"curv\0\0\0\0" + struct.pack(">IH", 1, 563) + b"\0\0"
    by_profile = photo.read(saved(tmp_path / "b.png", CHART, icc_profile=icc(colour.NAMED["Adobe RGB"], gamma))).pixels
    assert np.abs(by_exif - by_profile).max() <= 1
    assert np.abs(by_exif - CHART).mean() > 3
    wide = colour.to_srgb16(CHART.astype(np.uint16) * 257, None, [], gamut="Adobe RGB")
    assert np.abs(wide / 257 - by_profile).max() <= 1


def cmyk_jpeg(path: Path, *, marked: bool, inverted: bool) -> Path:
    """A portrait-like CMYK JPEG, with or without Adobe's marker, stored inverted or not. Pillow writes inverted and marked."""
    soft = cv2.GaussianBlur(CHART, (0, 0), 9).astype(float)
    ink = np.zeros((120, 160, 4), np.uint8)
    ink[..., :3] = 255 - np.clip(soft * 1.1, 0, 255)
    ink[20:60, 20:80] = (0, 0, 0, 0)
    ink[70:90, 20:60] = (180, 160, 150, 220)
    Image.fromarray(ink if inverted else 255 - ink, "CMYK").save(path, "JPEG", quality=95)
    data = path.read_bytes()
    at = data.index(b"\xff\xee")
    if not marked:
        path.write_bytes(data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :])
    return path


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("inverted", [True, False])
def test_cmyk_is_a_positive_however_it_is_stored(marked: bool, inverted: bool, tmp_path: Path) -> None:
    got = photo.read(cmyk_jpeg(tmp_path / "a.jpg", marked=marked, inverted=inverted)).pixels
    assert got[22:58, 22:78].mean() > 250  # paper
    assert got[72:88, 22:58].mean() < 40  # ink


# --- EXIF --------------------------------------------------------------------------------------------------------------------

SECRETS = ("Jane Owner", "SN-123456", "LENS-987", "Berlin", "51.4778", "maker secret", "a comment", "N", "GPS")


def planted() -> Image.Exif:
    """How it was taken, together with where, by whom and with which serial numbers."""
    block = Image.Exif()
    block[271], block[272], block[306], block[315], block[33432] = (
        "Canon",
        "Canon EOS R5",
        "2024:05:01 10:11:12",
        "Jane Owner",
        "Jane Owner",
    )
    block[270], block[305] = "a comment", "Berlin"
    sub = block.get_ifd(0x8769)
    sub[33434], sub[33437], sub[34855], sub[37386] = TiffImagePlugin.IFDRational(1, 250), 2.8, 400, 85.0
    sub[36867], sub[42034], sub[42036] = "2024:05:01 10:11:10", (85.0, 85.0, 1.4, 1.4), "RF85mm F1.2 L USM"
    sub[42032], sub[42033], sub[42037], sub[37500], sub[37510] = "Jane Owner", "SN-123456", "LENS-987", b"maker secret", b"a comment"
    gps = block.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (51.0, 28.0, 40.08), "W", (0.0, 0.0, 5.3)
    return block


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_captured_keeps_the_shot_and_never_place_serial_or_owner(fmt: str, tmp_path: Path) -> None:
    if fmt == "TIFF":
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        for tag, value in planted().items():
            tags[tag] = value
        tags[34665], tags[34853] = dict(planted().get_ifd(0x8769)), dict(planted().get_ifd(0x8825))
        path = saved(tmp_path / "a", CHART, format=fmt, tiffinfo=tags)
    else:
        path = saved(tmp_path / "a", CHART, format=fmt, exif=planted())
    assert b"SN-123456" in path.read_bytes()
    got = photo.read(path)
    expected = {"camera": "Canon EOS R5", "lens": "RF85mm F1.2 L USM", "exposure": "1/250 s", "aperture": "f/2.8", "iso": "400"}
    expected |= {"focal_length": "85 mm", "date": "2024:05:01 10:11:10"}
    assert dict(got.captured) == expected
    everything = json.dumps([dict(got.captured), got.notes, got.stem])
    for secret in SECRETS[:-2]:
        assert secret not in everything
    # Nothing that is written from the photo can carry it on either.
    photo.write_png(tmp_path / "out.png", got.pixels, text=got.captured)
    for secret in SECRETS[:-2]:
        assert secret.encode() not in (tmp_path / "out.png").read_bytes()


def test_a_childs_captured_and_notes_are_cleaned() -> None:
    """The child is not believed: other keys are dropped and text is made printable and short."""
    assert set(exif.KEPT) == {"camera", "lens", "exposure", "aperture", "iso", "focal_length", "date"}
    assert reading._plain("a\x1b[31m\nb" + "c" * 500, 80).isprintable()
    assert len(reading._plain("c" * 500, 80)) == 80
    assert exif.named(camera=("NIKON CORPORATION\0junk", " NIKON Z 8 \x07")) == {"camera": "NIKON Z 8"}
    assert exif.named(camera=("SONY", "ILCE-7M3"), iso=(100, 200), exposure_s=-1, f_number="x") == {"camera": "SONY ILCE-7M3", "iso": "100"}


# --- what is refused ---------------------------------------------------------------------------------------------------------


def test_things_that_are_no_files(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.jpg") == "photo-missing"
    assert refusal(tmp_path / "none" / "none.jpg") == "photo-missing"
    assert refusal(tmp_path) == "photo-not-file"
    assert refusal("") == "photo-not-file"
    assert refusal(tmp_path / ("x" * 300 + ".jpg")) == "photo-missing"
    assert refusal("a\0b.jpg") == "photo-missing"
    (tmp_path / "empty.jpg").touch()
    assert refusal(tmp_path / "empty.jpg") == "photo-empty"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")
def test_posix_things_that_are_no_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.jpg")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    started = time.monotonic()
    assert refusal(tmp_path / "fifo.jpg") == "photo-not-file"
    assert refusal("/dev/zero") == "photo-not-file"
    assert refusal(tmp_path / "dangling.jpg") == "photo-missing"
    assert refusal(tmp_path / "loop.jpg") == "photo-unreadable"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s.jpg")[:100])
        assert refusal(str(tmp_path / "s.jpg")[:100]) == "photo-not-file"
    assert time.monotonic() - started < 2
    (tmp_path / "link.jpg").symlink_to(saved(tmp_path / "real.png", CHART))
    assert np.array_equal(photo.read(tmp_path / "link.jpg").pixels, CHART)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read anything")
def test_an_unreadable_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", CHART)
    path.chmod(0)
    assert refusal(path) == "photo-unreadable"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EIO])
def test_system_errors_while_opening(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.png", CHART)

    def fails(*_: Any) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(reading.os, "open", fails)
    assert refusal(path) == "photo-unreadable"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are bytes on Linux only")
def test_names_that_are_not_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9 \x1b[31mred\n.png")
    path = saved(tmp_path / name, CHART)
    got = photo.read(path)
    assert got.stem.isprintable()
    assert got.stem.encode() == b"caf_ _[31mred_"
    path.write_bytes(b"no picture")
    with pytest.raises(PhotoError) as caught:
        photo.read(path)
    assert str(caught.value).isprintable()
    str(caught.value).encode()


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("IMG_1.JPG", "IMG_1"),
        (".hidden", "hidden"),
        ("a:b?*.png", "a_b__"),
        ("-rf.png", "rf"),
        ("   .png", "photo"),
        ("ü" * 100 + ".jpg", "ü" * 40),
        ("x.tar.gz", "x.tar"),
    ],
)
def test_stems_are_safe_to_build_names_from(name: str, stem: str) -> None:
    assert photo.safe_stem(name) == stem


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"BM" + bytes(60), "photo-unsupported"),
        (b"8BPS\0\1" + bytes(60), "photo-unsupported"),
        (b"%PDF-1.7\n" + bytes(60), "photo-unsupported"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", "photo-not-image"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "photo-not-image"),
        (b"\xef\xbb\xbf  <svg xmlns='http://www.w3.org/2000/svg'>", "photo-not-image"),
        (b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", "photo-not-image"),
        (b"#!/bin/sh\nexit", "photo-not-image"),
        (bytes(5000), "photo-not-image"),
        (b"\xff\xd8\xff", "photo-damaged"),
        (b"\x89PNG\r\n\x1a\n", "photo-truncated"),
        (b"GIF89a", "photo-damaged"),
        (b"RIFF\xff\0\0\0WEBPVP8 ", "photo-truncated"),
        (b"II*\0\x08\0\0\0", "photo-truncated"),
        (b"II+\0\x08\0\0\0" + bytes(60), "photo-unsupported"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "photo-damaged"),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "photo-truncated"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "photo-truncated"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(200), "photo-unsupported"),
    ],
)
def test_heads_without_a_picture(head: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(head)
    assert refusal(tmp_path / "a.jpg") == code


def test_kinds_are_told_by_content() -> None:
    boxes = {b"heic": "heic", b"mif1": "heic", b"avif": "avif", b"crx ": "raw"}
    for brand, kind in boxes.items():
        assert sniff.kind_of(b"\0\0\0\x14ftyp" + brand + bytes(8)) == kind
    assert sniff.kind_of(b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif") == "avif"
    assert sniff.kind_of(b"II*\0\x10\0\0\0CR\x02\0") == "raw"
    assert set(boxes.values()) | {"raw"} <= set(sniff.DECODED)


@pytest.mark.parametrize(("size", "code"), [((20000, 20000), "photo-too-large"), ((95, 400), "photo-too-small")])
@pytest.mark.parametrize("kind", ["png", "webp", "tiff", "jpeg", "gif"])
def test_sizes_are_refused_from_the_header(kind: str, size: tuple[int, int], code: str, tmp_path: Path) -> None:
    """The headers promise pixels that are not there: a decoder that starts would say truncated, not too large."""
    if (kind, size[0]) == ("gif", 95):
        pytest.skip("a GIF is as large as its frames, whatever its header says")
    width, height = size
    buffer = io.BytesIO()
    Image.fromarray(CHART).save(buffer, {"tiff": "TIFF"}.get(kind, kind.upper()))
    data = bytearray(buffer.getvalue())
    if kind == "png":
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif kind == "webp":
        if width > 16383:
            data[12:30] = b"VP8X" + struct.pack("<II", 10, 0) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        else:
            data[26:30] = struct.pack("<HH", width, height)
    elif kind == "gif":
        data[6:10] = struct.pack("<HH", width, height)
    elif kind == "jpeg":
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    else:
        for tag, value in ((256, width), (257, height)):
            at = (
                data.index(struct.pack("<HHI", tag, 4, 1))
                if struct.pack("<HHI", tag, 4, 1) in data
                else data.index(struct.pack("<HHI", tag, 3, 1))
            )
            data[at + 2 : at + 12] = struct.pack("<HII", 4, 1, value)
    (tmp_path / "a").write_bytes(data)
    assert refusal(tmp_path / "a") == code


def test_checksums_catch_what_decoders_swallow(tmp_path: Path) -> None:
    data = bytearray(saved(tmp_path / "a.png", CHART).read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    assert refusal(tmp_path / "a.png") == "photo-damaged"
    wide = CHART.astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "a.tif"), wide, [cv2.IMWRITE_TIFF_COMPRESSION, 8])
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.tif").write_bytes(data)
    assert refusal(tmp_path / "a.tif") == "photo-damaged"


def test_what_follows_the_end_of_a_picture_is_free(tmp_path: Path) -> None:
    """Phones append videos and padding; a file whose picture itself runs into zeros is another matter."""
    data = saved(tmp_path / "a.jpg", CHART).read_bytes()
    for tail in (bytes(5000), b"trailer" + bytes(5000)):
        (tmp_path / "b.jpg").write_bytes(data + tail)
        assert outcome(tmp_path / "b.jpg") == "read"
    (tmp_path / "c.jpg").write_bytes(data[: len(data) // 2] + bytes(50_000))
    assert refusal(tmp_path / "c.jpg") == "photo-truncated"
    data = saved(tmp_path / "a.avif", RNG.integers(0, 256, (120, 160, 3), np.uint8)).read_bytes()
    (tmp_path / "b.avif").write_bytes(data[:-1500] + bytes(1500))
    assert refusal(tmp_path / "b.avif") == "photo-truncated"
    (tmp_path / "c.avif").write_bytes(data + struct.pack(">I4s", 2008, b"free") + bytes(2000))
    assert outcome(tmp_path / "c.avif") == "read"


def test_hdr_and_float_pictures_are_refused_not_guessed(tmp_path: Path) -> None:
    import tifffile

    with pytest.raises(PhotoError, match="HDR"):
        containers.nclx_gamut(b"....colrnclx" + struct.pack(">HHH", 9, 16, 9))
    assert containers.nclx_gamut(b"....colrnclx" + struct.pack(">HHH", 12, 13, 6)) == "Display P3"
    tifffile.imwrite(tmp_path / "f.tif", np.zeros((100, 100, 3), np.float32), photometric="rgb")
    assert refusal(tmp_path / "f.tif") == "photo-unsupported"
    tifffile.imwrite(tmp_path / "p.tif", np.zeros((3, 100, 100), np.uint16), photometric="rgb", planarconfig="separate")
    assert refusal(tmp_path / "p.tif") == "photo-unsupported"


# --- the child ---------------------------------------------------------------------------------------------------------------


def children() -> int:
    """Live children of this process (Linux; elsewhere 0)."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            total += int(entry.read_text().rsplit(")", 1)[1].split()[1]) == os.getpid()
        except OSError:
            continue
    return total


def test_too_slow_is_stopped_and_nothing_stays_behind(tmp_path: Path) -> None:
    path, before = saved(tmp_path / "a.png", CHART), children()
    started = time.monotonic()
    assert refusal(path, timeout_s=0.02) == "photo-timeout"
    assert time.monotonic() - started < 2
    assert children() == before


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("import os; os.abort()", "photo-crashed"),
        ("raise SystemExit(3)", "photo-crashed"),
        ("import sys; sys.stdout.buffer.write(b'garbage' * 100)", "photo-crashed"),
        ("import sys; sys.stdout.buffer.write(b'LKPX' + (1 << 30).to_bytes(4, 'big'))", "photo-crashed"),
        ("import time; time.sleep(60)", "photo-timeout"),
        ("while True: pass", "photo-timeout"),
        ("import sys\nwhile True: sys.stdout.write('LKPX')", "photo-crashed"),
        ("import os; os.close(0); os.close(1); import time; time.sleep(60)", "photo-crashed"),
    ],
)
def test_whatever_the_child_does_is_one_clear_error(program: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_START", program)
    before, started = children(), time.monotonic()
    assert refusal(saved(tmp_path / "a.png", CHART), timeout_s=0.7) == code
    assert time.monotonic() - started < 5
    assert children() == before


@pytest.mark.parametrize(
    "header",
    [
        {"width": 10**6, "height": 10**6, "bits": 8},
        {"width": -1, "height": 100, "bits": 8},
        {"width": "100", "height": 100, "bits": 8},
        {"width": True, "height": 100, "bits": 8},
        {"width": 100, "height": 100, "bits": 32},
        {"width": 100, "height": 100, "bits": 8},
        ["width"],
    ],
)
def test_headers_that_lie_are_not_believed(header: Any) -> None:
    text = json.dumps(header).encode()
    assert reading._receive(io.BytesIO(decoder.MAGIC + len(text).to_bytes(4, "big") + text + b"too short"), 24) is None


def test_a_childs_refusal_is_cleaned() -> None:
    text = json.dumps({"code": "no-such\x1b code", "text": "a\nb\x1b[2J"}).encode()
    with pytest.raises(PhotoError) as caught:
        reading._receive(io.BytesIO(decoder.MAGIC + len(text).to_bytes(4, "big") + text), 24)
    assert caught.value.code == "photo-crashed"
    assert str(caught.value).isprintable()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces a limit on the address space")
@pytest.mark.parametrize(("kind", "least_mb"), [("a.png", 180), ("a.jpg", 370), ("a.tif", 370)])
def test_the_memory_limit_holds(kind: str, least_mb: int, tmp_path: Path) -> None:
    path = tmp_path / kind
    cv2.imwrite(str(path), np.zeros((4000, 5000, 3), np.uint8))
    assert refusal(path, memory_mb=least_mb) == "photo-too-large"
    assert photo.read(path, memory_mb=1200).size_px == (5000, 4000)


def test_the_child_loads_nothing_heavy() -> None:
    program = (
        "import sys, json; sys.path[:] = json.loads(sys.argv[1])\n"
        "from lowkey.photo.decoder import main, _import_reader\n"
        "from lowkey.photo import codecs\n"
        "for kind in ('jpeg', 'png', 'heic', 'raw', 'webp'): _import_reader(kind)\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'numba', 'scipy', 'mediapipe', 'dlib', 'matplotlib', 'typer', 'tifffile'}))"
    )
    out = subprocess.run([sys.executable, "-I", "-S", "-c", program, json.dumps(reading._search_path())], capture_output=True, check=True)
    assert out.stdout.strip() == b"[]"


SCRIPT = "from lowkey import photo; import sys; got = photo.read(sys.argv[1]); print('read', got.size_px)"


def test_works_without_a_main_guard_and_from_standard_input(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", CHART)
    (tmp_path / "script.py").write_text(SCRIPT)
    runs: list[tuple[list[str], bytes | None]] = [
        (["script.py", path.name], None),
        (["-", path.name], SCRIPT.encode()),
        (["-c", SCRIPT, path.name], None),
    ]
    for arguments, stdin in runs:
        out = subprocess.run([sys.executable, *arguments], input=stdin, capture_output=True, cwd=tmp_path, timeout=60)
        assert out.stdout.decode().split("\n")[0] == "read (160, 120)", out.stderr.decode()
        assert out.stderr == b""


def test_a_library_in_the_current_folder_is_not_run(tmp_path: Path) -> None:
    """Photos lie in download folders: a file called cv2.py beside one must not run in the child."""
    for name in ("PIL.py", "cv2.py", "numpy.py", "json.py"):
        (tmp_path / name).write_text("raise SystemExit('this file was run')")
    path = saved(tmp_path / "a.png", CHART)
    program = f"import sys; from lowkey import photo; read = photo.read\nsys.path.insert(0, '')\nprint(read({str(path)!r}).size_px)"
    out = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, cwd=tmp_path, timeout=60)
    assert out.stdout.strip() == b"(160, 120)", out.stderr.decode()


# --- writing -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1, 3), (63, 1, 3), (64, 65, 3), (65, 33), (200, 130, 3)])
def test_png_round_trip_at_both_depths(dtype: Any, shape: tuple[int, ...], tmp_path: Path) -> None:
    pixels = RNG.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    photo.write_png(tmp_path / "a.png", pixels)
    back = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    assert back.dtype == dtype
    assert np.array_equal(back[..., ::-1] if len(shape) == 3 else back, pixels)


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    at, found = 8, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def test_png_bytes_depend_on_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    text = {"look": "rear-right", "Ünïcode": "höhe"}
    photo.write_png(tmp_path / "a" / "one.png", CHART, text=text, ppi=300)
    time.sleep(1.1)
    photo.write_png(tmp_path / "two.png", np.asfortranarray(CHART), text=dict(reversed(text.items())), ppi=300)
    one = (tmp_path / "a" / "one.png").read_bytes()
    assert one == (tmp_path / "two.png").read_bytes()
    found = chunks(one)
    assert [name for name, _ in found] == [b"IHDR", b"gAMA", b"sRGB", b"pHYs", b"iTXt", b"iTXt", b"IDAT", b"IEND"]
    assert dict(found)[b"pHYs"] == struct.pack(">IIB", 11811, 11811, 1)
    assert str(tmp_path).encode() not in one
    with Image.open(tmp_path / "two.png") as im:
        assert im.info["look"] == "rear-right"
        assert im.info["Ünïcode"] == "höhe"
        assert round(im.info["dpi"][0]) == 300


def test_png_takes_integers_only(tmp_path: Path) -> None:
    for wrong in (CHART.astype(np.float32), CHART[..., :2], CHART[:0], CHART.astype(np.int64)):
        with pytest.raises(ValueError, match="a PNG takes"):
            photo.write_png(tmp_path / "a.png", wrong)
    with pytest.raises(ValueError, match="keyword"):
        photo.write_png(tmp_path / "a.png", CHART, text={"": "x"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (16, 5, 3), (17, 130, 3), (240, 320, 3)])
def test_linear_files_hold_every_bit(shape: tuple[int, ...], tmp_path: Path) -> None:
    import tifffile

    values = (RNG.normal(size=shape) ** 3).astype(np.float32)
    values[0, 0] = (0, 1e-30, 65504 * 4)
    for name in ("a.tif", "a.tiff", "a.EXR"):
        photo.write_linear(tmp_path / name, values)
        first = (tmp_path / name).read_bytes()
        photo.write_linear(tmp_path / name, values)
        assert (tmp_path / name).read_bytes() == first
    assert np.array_equal(tifffile.imread(tmp_path / "a.tif"), values)
    assert np.array_equal(cv2.imread(str(tmp_path / "a.tiff"), cv2.IMREAD_UNCHANGED)[..., ::-1], values)
    openexr = pytest.importorskip("OpenEXR")
    with openexr.File(str(tmp_path / "a.EXR"), separate_channels=False) as file:
        assert np.array_equal(file.channels()["RGB"].pixels, values)


def test_linear_files_have_known_endings_only(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"\[unknown-ending\]"):
        photo.write_linear(tmp_path / "a.png", np.zeros((4, 4, 3), np.float32))
    with pytest.raises(ValueError, match="write_linear takes"):
        photo.write_linear(tmp_path / "a.tif", np.zeros((4, 4), np.float32))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk-full"),
        (errno.EDQUOT, "disk-full"),
        (errno.EROFS, "folder-read-only"),
        (errno.EACCES, "folder-read-only"),
        (errno.EIO, "write-failed"),
    ],
)
@pytest.mark.parametrize("where", ["fsync", "open"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    number: int, code: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo.write_png(tmp_path / "a.png", CHART)
    old = (tmp_path / "a.png").read_bytes()

    def fails(*_: Any) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(writing.os, where, fails)
        with pytest.raises(StoreError, match=rf"\[{code}\]"):
            photo.write_png(tmp_path / "a.png", 255 - CHART)
    assert (tmp_path / "a.png").read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE")
def test_a_real_full_disk(tmp_path: Path) -> None:
    """The system itself refuses in the middle of the file."""
    program = (
        "import resource, signal, sys, numpy as np; from lowkey import photo\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "try: photo.write_png(sys.argv[1], np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8))\n"
        "except Exception as error: print(error.code)"
    )
    out = subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.png")], capture_output=True, check=True, timeout=60)
    assert out.stdout.strip() == b"write-failed"
    assert list(tmp_path.iterdir()) == []


def test_folders_and_names_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"\[folder-missing\]"):
        photo.write_png(tmp_path / "none" / "a.png", CHART)
    with pytest.raises(StoreError, match=r"\[name-too-long\]"):
        photo.write_png(tmp_path / ("x" * 300 + ".png"), CHART)
    assert list(tmp_path.iterdir()) == []
    long = tmp_path / ("x" * 250 + ".png")
    photo.write_png(long, CHART)
    assert [p.name for p in tmp_path.iterdir()] == [long.name]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_real_read_only_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match=r"\[folder-read-only\]"):
            photo.write_png(tmp_path / "a.png", CHART)
    finally:
        tmp_path.chmod(0o700)


def test_links_are_replaced_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "a.png").symlink_to(victim)
    photo.write_png(tmp_path / "a.png", CHART)
    assert victim.read_text() == "mine"
    assert not (tmp_path / "a.png").is_symlink()


# --- damage at random --------------------------------------------------------------------------------------------------------


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Flipped bits, foreign header bytes, a cut, or a hole."""
    out, how = bytearray(data), rng.integers(4)
    if how == 0:
        for _ in range(rng.integers(1, 4)):
            out[rng.integers(len(out))] ^= 1 << int(rng.integers(8))
    elif how == 1:
        for _ in range(rng.integers(1, 8)):
            out[rng.integers(min(len(out), 1024))] = int(rng.integers(256))
    elif how == 2:
        del out[rng.integers(1, len(out)) :]
    else:
        at = int(rng.integers(len(out)))
        out[at : at + 200] = bytes(len(out[at : at + 200]))
    return bytes(out)


def outcome(path: Path) -> str:
    """ "read", or the code of the refusal."""
    try:
        photo.read(path, timeout_s=20)
    except PhotoError as error:
        return error.code
    return "read"


@pytest.mark.parametrize(("fmt", "options"), [("JPEG", {}), ("PNG", {}), ("TIFF", {"compression": "tiff_lzw"}), ("AVIF", {})])
def test_random_damage_is_read_or_refused(fmt: str, options: dict[str, Any], tmp_path: Path) -> None:
    data = saved(tmp_path / "a", CHART, format=fmt, **options).read_bytes()
    rng = np.random.default_rng(len(fmt))
    for _ in range(6):
        (tmp_path / "b").write_bytes(damaged(data, rng))
        assert outcome(tmp_path / "b") not in ("photo-crashed", "photo-timeout")


@pytest.mark.soak
@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "TIFF", "GIF", "WEBP", "AVIF"])
def test_much_random_damage(fmt: str, tmp_path: Path) -> None:
    data = saved(tmp_path / "a", CHART, format=fmt).read_bytes()
    rng = np.random.default_rng(99)
    for _ in range(100):
        (tmp_path / "b").write_bytes(damaged(data, rng))
        assert outcome(tmp_path / "b") not in ("photo-crashed", "photo-timeout")


# --- limits from the environment ---------------------------------------------------------------------------------------------


def test_the_largest_file_can_be_said_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = saved(tmp_path / "noise.png", np.random.default_rng(1).integers(0, 255, (800, 800, 3), np.uint8))
    assert path.stat().st_size > 1 << 20
    assert photo.read(path).size_px == (800, 800)
    monkeypatch.setenv("LOWKEY_MOST_FILE_MB", "1")
    assert refusal(path) == "photo-too-large"


def test_time_and_memory_of_the_decoder_can_be_said_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = saved(tmp_path / "plain.png", np.full((4000, 4000, 3), 90, np.uint8))
    given: list[tuple[float, int]] = []
    real = reading._decode

    def watched(kind: Any, data: bytes, most: float, timeout_s: float, memory_mb: int) -> Any:
        given.append((timeout_s, memory_mb))
        return real(kind, data, most, timeout_s, memory_mb)

    monkeypatch.setattr(reading, "_decode", watched)
    monkeypatch.setenv("LOWKEY_DECODE_S", "30")
    monkeypatch.setenv("LOWKEY_DECODE_MB", "2000")
    assert photo.read(path).size_px == (4000, 4000)
    for nonsense in ("", "much", "nan", "-1"):
        monkeypatch.setenv("LOWKEY_DECODE_S", nonsense)
        monkeypatch.setenv("LOWKEY_DECODE_MB", nonsense)
        photo.read(path)
    assert given == [(30.0, 2000)] + [(reading.TIMEOUT_S, reading.MEMORY_MB)] * 4

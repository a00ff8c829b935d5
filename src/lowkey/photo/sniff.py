"""What kind of picture a file is, told from its first bytes alone: a name is never trusted."""

from __future__ import annotations

from lowkey.errors import PhotoError

HEAD_BYTES = 4096
"""How much of the file `kind_of` looks at; enough for the box list of HEIC and AVIF."""

DECODED = ("jpeg", "png", "gif", "webp", "tiff", "heic", "avif", "raw")
"""The kinds that `lowkey.photo.decoder` can decode. A TIFF that turns out to be a DNG, NEF, ARW ... is decoded as raw."""

ENDINGS = frozenset(
    (
        *(".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".heic", ".heif", ".avif", ".gif"),
        *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw", ".3fr", ".iiq"),
    )
)
"""What photos are usually called; for choosing files in a folder, never for reading one."""

_RAW_MAGIC = (b"FUJIFILMCCD-RAW", b"IIU\x00", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\x00MRM", b"ARRI")
_KNOWN_BUT_NOT_DECODED = (
    (b"BM", "a BMP"),
    (b"8BPS", "a Photoshop PSD"),
    (b"%PDF", "a PDF"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (b"gimp xcf", "a GIMP picture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1a\x45\xdf\xa3", "a video"),
)
_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"))
_AVIF_BRANDS = frozenset((b"avif", b"avis"))


def kind_of(head: bytes) -> str:
    """One of DECODED for the first HEAD_BYTES of a file; PhotoError when it is empty, foreign, or no picture at all."""
    if not head:
        raise PhotoError("photo-empty", "the file is empty (0 bytes): copy it again from the camera or the sender")
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return _brand(head)
    if head.startswith(_RAW_MAGIC) or head[6:14] == b"HEAPCCDR" or (head[:4] in (b"II*\0", b"MM\0*") and head[8:10] == b"CR"):
        return "raw"
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "tiff"
    for magic, what in _KNOWN_BUT_NOT_DECODED:
        if head.startswith(magic):
            raise PhotoError("photo-unsupported", f"this is {what}, which is not read: export it as JPEG, PNG or TIFF")
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<svg", b"<?xml", b"<!doctype", b"<html", b"<")):
        raise PhotoError("photo-not-image", "this is a text document (SVG, HTML or XML), not a photo; nothing it refers to was opened")
    raise PhotoError("photo-not-image", "this is not a picture that is known here (JPEG, PNG, TIFF, WebP, HEIC, AVIF, GIF or RAW)")


def _brand(head: bytes) -> str:
    """HEIC, AVIF and Canon CR3 share one container (ISO/IEC 14496-12, clause 4.3): the brands in `ftyp` tell them apart."""
    length = min(max(int.from_bytes(head[:4], "big"), 16), len(head))
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, length - 3, 4))]
    if b"crx " in brands:
        return "raw"
    if _AVIF_BRANDS.intersection(brands):
        return "avif"
    if _HEIC_BRANDS.intersection(brands) or brands[0] in (b"mif1", b"msf1"):
        return "heic"
    raise PhotoError("photo-not-image", "this is a video or sound file, not a photo: export one frame as JPEG, PNG or TIFF")

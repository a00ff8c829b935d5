"""The colour of lamps: black bodies in a picture that is balanced for one of them."""

from __future__ import annotations

RGB = tuple[float, float, float]

_BALANCE_KELVIN = 5000.0
"""The light at which the picture's white is white."""
_D65: RGB = (0.95047, 1.0, 1.08883)


def warmth(kelvin: float) -> RGB:
    """Linear BT.709 colour of a black body of `kelvin` in a picture balanced for 5000 K, at luminance 1.

    Planckian locus after Kim, Kweon and others (US patent 7024034, 2002), good from 1667 to 25000 K. The balance is Bradford's
    (ICC.1:2022, annex E): balanced primary by primary a warm lamp comes out green, and grey hair under it olive.
    """
    lamp, white, d65 = (_cones(xyz) for xyz in (_planck_xyz(kelvin), _planck_xyz(_BALANCE_KELVIN), _D65))
    balanced = _bt709(_uncones((lamp[0] / white[0] * d65[0], lamp[1] / white[1] * d65[1], lamp[2] / white[2] * d65[2])))
    r, g, b = (of_lamp / of_white for of_lamp, of_white in zip(balanced, _bt709(_uncones(d65)), strict=True))
    return _at_luminance_one((r, g, b))


def luminance_of(colour: RGB) -> float:
    """Relative luminance of one linear BT.709 colour (ITU-R BT.709-6)."""
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def _at_luminance_one(colour: RGB) -> RGB:
    r, g, b = (value / luminance_of(colour) for value in colour)
    return r, g, b


def _planck_xyz(t: float) -> RGB:
    """Chromaticity x, y of the locus, then XYZ at Y = 1."""
    if t <= 4000:
        x = -0.2661239e9 / t**3 - 0.2343589e6 / t**2 + 0.8776956e3 / t + 0.179910
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        x = -3.0258469e9 / t**3 + 2.1070379e6 / t**2 + 0.2226347e3 / t + 0.240390
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return x / y, 1.0, (1 - x - y) / y


def _cones(xyz: RGB) -> RGB:
    x, y, z = xyz
    return 0.8951 * x + 0.2664 * y - 0.1614 * z, -0.7502 * x + 1.7135 * y + 0.0367 * z, 0.0389 * x - 0.0685 * y + 1.0296 * z


def _uncones(lms: RGB) -> RGB:
    a, b, c = lms
    return (
        0.986992905 * a - 0.147054256 * b + 0.159962652 * c,
        0.432305270 * a + 0.518360272 * b + 0.049291229 * c,
        -0.008528665 * a + 0.040042822 * b + 0.968486696 * c,
    )


def _bt709(xyz: RGB) -> RGB:
    x, y, z = xyz
    return (
        3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
        -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
        0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
    )

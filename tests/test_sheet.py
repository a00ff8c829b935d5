"""The contact sheet: every frame once, in order, readable on a phone and on A4, the same bytes every time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lowkey import look as looks
from lowkey import prints
from lowkey.look import Look
from lowkey.photo import Photo
from lowkey.pixels import srgb_decode
from lowkey.prints.sheet import ACCENT, INK, LINE, MARGIN, PAGE_PX, PAPER, fitted, ordinal, sans

PHONE_PT = 390
"""How wide a phone shows the page, in points."""


def cells(count: int, size: tuple[int, int] = (64, 80)) -> list[prints.Cell]:
    """Plain frames, each of its own tone."""
    return [prints.Cell(np.full((size[1], size[0], 3), 40 + 200 * i // max(count - 1, 1), np.uint8), i + 1) for i in range(count)]


def reference(size: tuple[int, int] = (200, 300)) -> Photo:
    return Photo(np.full((size[1], size[0], 3), (9, 99, 199), np.uint8), "0" * 64, "ana")


def found(page: np.ndarray, tone: int) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the one rectangle of this grey."""
    rows, columns = np.nonzero((page[..., 0] == tone) & (page[..., 2] == tone))
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 12, 24, 30])
@pytest.mark.parametrize("size", [(1024, 1280), (1024, 1536), (1000, 1000)])
def test_a_page_of_up_to_thirty_is_a4(count: int, size: tuple[int, int]) -> None:
    page = prints.sheet(cells(count, (size[0] // 16, size[1] // 16)), Look(), reference(), size)
    assert page.shape == (PAGE_PX[1], PAGE_PX[0], 3)
    assert page.dtype == np.uint8
    assert PAGE_PX[1] / PAGE_PX[0] == pytest.approx(2**0.5, rel=1e-3)


@pytest.mark.parametrize("count", [1, 6, 31])
def test_every_frame_is_there_once_whole_and_in_order(count: int) -> None:
    page = prints.sheet(cells(count), Look(), reference(), (1024, 1280))
    places = []
    for cell in cells(count):
        top, bottom, left, right = found(page, int(cell.picture[0, 0, 0]))
        assert (page[top:bottom, left:right] == cell.picture[0, 0]).all()
        assert (right - left) / (bottom - top) == pytest.approx(0.8, abs=0.01)
        assert left >= MARGIN
        assert right <= PAGE_PX[0] - MARGIN
        assert bottom < page.shape[0] - 40
        places.append((top, left))
    assert places == sorted(places)
    assert len(set(places)) == count


def test_six_frames_are_as_large_as_the_page_allows() -> None:
    """Three across fill the width between the margins."""
    _, _, left, _ = found(prints.sheet(cells(6), Look(), reference(), (1024, 1280)), 40)
    page = prints.sheet(cells(6), Look(), reference(), (1024, 1280))
    _, _, _, right = found(page, 40 + 200 * 2 // 5)
    assert (left, right) == (pytest.approx(MARGIN, abs=3), pytest.approx(PAGE_PX[0] - MARGIN, abs=3))


def test_two_looks_give_two_pages() -> None:
    one, two = (prints.sheet(cells(2), look, reference(), (1024, 1280)) for look in (Look(), Look(light="full backlight")))
    assert (one != two).any()


def test_each_seed_is_named() -> None:
    """The same frames under other seeds differ only in the labels, which are below the frames."""
    one = cells(2)
    two = [prints.Cell(cell.picture, cell.seed + 4) for cell in one]
    first, second = (prints.sheet(some, Look(), reference(), (1024, 1280)) for some in (one, two))
    rows = np.nonzero((first != second).any((1, 2)))[0]
    assert rows.size
    assert rows.min() >= found(first, 40)[1]


def test_the_reference_is_shown() -> None:
    page = prints.sheet(cells(1), Look(), reference(), (1024, 1280))
    blue = (page == (9, 99, 199)).all(2)
    rows, columns = np.nonzero(blue)
    assert np.ptp(rows) > 0.12 * page.shape[0]
    assert np.ptp(columns) / np.ptp(rows) == pytest.approx(2 / 3, abs=0.02)


def test_type_is_readable_on_a_phone() -> None:
    """Seven points and more when the page is 390 points wide; the seeds nine."""
    for size, least in ((34, 7.0), (42, 9.0)):
        assert sans(size).getbbox("0123")[3] * PHONE_PT / PAGE_PX[0] >= least * 0.72  # a digit is 72 % of its type size


def test_ink_stands_off_the_paper() -> None:
    """Contrast of the labels is at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    from lowkey.prints.sheet import ACCENT, DIM, INK

    def shine(colour: tuple[int, int, int]) -> float:
        return float(srgb_decode(np.array(colour) / 255) @ [0.2126, 0.7152, 0.0722])

    for colour in (INK, DIM, ACCENT):
        assert (shine(colour) + 0.05) / (shine(PAPER) + 0.05) >= 4.5


def test_same_frames_same_bytes() -> None:
    pages = [prints.sheet(cells(6), looks.find("house"), reference(), (1024, 1280)) for _ in range(2)]
    assert (pages[0] == pages[1]).all()


@pytest.mark.parametrize("title", ["", "W" * 120, "Ελένη", "Анна", "\u540d\u524d", "e\u0301 \u2014 \u201cq\u201d"])
def test_any_title_fits_its_line(title: str) -> None:
    page = prints.sheet(cells(1), Look(title=title), reference(), (1024, 1280))
    # The gutter between the title and the reference stays empty.
    left = np.nonzero((page == (9, 99, 199)).all(2))[1].min()
    assert (page[MARGIN : MARGIN + 150, left - 50 : left] == PAPER).all()


def test_small_pictures_keep_their_energy() -> None:
    """Shrinking averages light, not codes: a black and white chequer becomes the grey that sends half the light."""
    chequer = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    small = fitted(chequer, (32, 32))
    assert srgb_decode(small / 255).mean() == pytest.approx(0.5, abs=0.01)
    assert fitted(np.full((10, 10, 3), 65535, np.uint16), (10, 10)).max() == 255


def test_faces_are_numbered_on_a_picture() -> None:
    photo = reference((3200, 2400))
    page = prints.numbered(photo, [(1, (200.0, 300.0, 800.0, 900.0)), (2, (1800.0, 300.0, 2600.0, 1100.0))])
    assert page.shape == (1200, 1600, 3)
    changed = (page != (9, 99, 199)).any(2)
    rows, columns = np.nonzero(changed)
    assert (rows.min(), columns.min()) == (pytest.approx(150, abs=4), pytest.approx(100, abs=4))
    assert (rows.max(), columns.max()) == (pytest.approx(550, abs=4), pytest.approx(1300, abs=4))
    assert not changed[:, 420:880].any()


def test_a_reading_is_one_picture(small_plate, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    one = prints.reading(small_plate)
    assert one.ndim == 3
    assert one.dtype == np.uint8
    assert (one == prints.reading(small_plate)).all()


# --- what the meter said, and what a person did ------------------------------------------------------------------------------


def metered(count: int, **of_first: object) -> list[prints.Cell]:
    marks = (True, True, False, None)
    several = [replace(cell, marks=marks, place=i + 1) for i, cell in enumerate(cells(count))]
    return [replace(several[0], **of_first), *several[1:]]  # type: ignore[arg-type]


def drawn(page: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((page == np.array(colour, np.uint8)).all(-1).sum())


@pytest.mark.parametrize("count", [1, 2, 6, 12, 30, 31])
def test_ticks_leave_every_frame_whole_and_in_order(count: int) -> None:
    page = prints.sheet(metered(count), Look(), reference(), (1024, 1280))
    places = []
    for cell in cells(count):
        top, bottom, left, right = found(page, int(cell.picture[0, 0, 0]))
        assert (page[top:bottom, left:right] == cell.picture[0, 0]).all()
        assert bottom < page.shape[0] - 40
        places.append((top, left))
    assert places == sorted(places)


def test_kept_missed_and_not_judged_look_different() -> None:
    plain = prints.sheet(metered(2, marks=(None,) * 4), Look(), reference(), (1024, 1280))
    kept = prints.sheet(metered(2, marks=(True,) * 4), Look(), reference(), (1024, 1280))
    missed = prints.sheet(metered(2, marks=(False,) * 4), Look(), reference(), (1024, 1280))
    assert drawn(kept, INK) > drawn(plain, INK)
    assert drawn(missed, ACCENT) > drawn(kept, ACCENT)
    assert drawn(plain, LINE) > drawn(kept, LINE)


def test_a_person_s_stars_stand_apart_from_the_ticks() -> None:
    """Stars change the page only to the right of where the ticks may be, and in the accent's colour."""
    without, with_stars = (prints.sheet(metered(2, stars=stars), Look(), reference(), (1024, 1280)) for stars in (0, 5))
    changed = (without != with_stars).any(-1)
    _, bottom, left, right = found(without, 40)
    rows, columns = np.nonzero(changed)
    assert rows.min() > bottom
    assert columns.min() > left + 0.66 * (right - left)
    assert columns.max() <= right + 1
    assert drawn(with_stars, ACCENT) > drawn(without, ACCENT)
    assert drawn(with_stars, INK) == drawn(without, INK)


def test_a_sheet_that_was_not_metered_is_as_it_was() -> None:
    """No ticks, no room for them: frames as large as before."""
    bare, ticked = (found(prints.sheet(some(2), Look(), reference(), (1024, 1280)), 40) for some in (cells, metered))
    assert bare[1] - bare[0] >= ticked[1] - ticked[0]


def test_places_are_said_in_english() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th")
    ]

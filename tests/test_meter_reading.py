"""Readings as values: the catalogue, JSON, and "cannot judge" where a picture does not allow a measure."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import lowkey
from lowkey.meter import CannotJudge, Measure, catalogue, measure
from lowkey.meter.reading import measured, whole

NAMED_BY_THE_COMMAND = {
    "key_azimuth_deg", "key_elevation_deg", "key_direction_sigma_deg", "lit_side", "lights", "lighting_ratio_stops", "face_clipped_share",
    "frame_black_share", "terminator_width_deg", "highlight_warmth_mired", "motes_per_fh2", "grain_um", "likeness",
}  # fmt: skip
ENDINGS = {"stops": "_stops", "share": "_share", "deg": "_deg", "mired": "_mired", "um": "_um", "per fh2": "_per_fh2", "hw": "_hw"}


@pytest.fixture(scope="module")
def wall() -> np.ndarray:
    """A picture in which nobody is."""
    ramp = np.linspace(5, 60, 160, dtype=np.float32)
    return np.asarray(np.repeat(np.tile(ramp, (200, 1))[..., None], 3, -1) + np.random.default_rng(1).normal(0, 2, (200, 160, 1)), np.uint8)


def test_the_catalogue_holds_what_scripts_rely_on() -> None:
    assert set(catalogue()) >= NAMED_BY_THE_COMMAND


def test_the_unit_stands_at_the_names_end() -> None:
    for name, one in catalogue().items():
        if one.unit in ENDINGS and name not in {"flare"}:
            assert ENDINGS[one.unit] in name or one.unit in {"share", "deg"}, name
        assert one.meaning
        assert not one.meaning.endswith(".")


def test_the_page_holds_every_definition() -> None:
    """After a change of measures.toml: python benchmarks/meter.py --write docs/meter.md definitions."""
    page = (Path(__file__).parent.parent / "docs" / "meter.md").read_text()
    for name, one in catalogue().items():
        assert f"| `{name}` | {one.unit} | {one.meaning} | {one.source} |" in page


def test_every_measure_is_in_every_reading(wall: np.ndarray) -> None:
    assert list(measure(wall)) == list(catalogue())


def test_without_a_face_measures_of_the_face_are_not_guessed(wall: np.ndarray) -> None:
    reading = measure(wall)
    for name in ("key_azimuth_deg", "lit_side", "lighting_ratio_stops", "likeness", "gaze", "terminator_width_hw"):
        found = reading[name]
        assert isinstance(found, CannotJudge), name
        assert len(found.reason) > 10
    assert reading.number("frame_black_share") is not None


def test_json_is_plain(wall: np.ndarray) -> None:
    said = json.loads(json.dumps(measure(wall).to_json(), allow_nan=False))
    assert set(said) == {"low_key", "measures"}
    for one in said["measures"].values():
        assert set(one) in ({"value", "unit", "sigma", "region"}, {"cannot_judge"})


def test_a_number_that_is_none_cannot_be_judged() -> None:
    assert isinstance(measured("lit_share", math.nan, 0.1, "face"), CannotJudge)
    assert measured("lit_share", 0.5, math.inf, "face") == Measure(0.5, "share", None, "face")
    assert isinstance(whole({})["lights"], CannotJudge)


def test_pictures_of_other_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="u8 or u16"):
        measure(np.zeros((10, 10, 3), np.float32))


def test_the_same_picture_reads_the_same(wall: np.ndarray) -> None:
    assert measure(wall).to_json() == measure(wall).to_json()


def test_eight_and_sixteen_bits_read_alike(wall: np.ndarray) -> None:
    one, other = measure(wall), measure(np.asarray(wall, np.uint16) * 257)
    for name in ("frame_black_share", "frame_median_code", "low_key_index"):
        assert one.number(name) == pytest.approx(other.number(name), abs=1e-3)


def test_measure_is_public() -> None:
    assert lowkey.measure is measure

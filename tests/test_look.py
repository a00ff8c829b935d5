"""Looks: words in any spelling, numbers, mirrored forms, refusals that help, and files that come back as they were."""

from __future__ import annotations

import json
import math
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lowkey import look as looks
from lowkey import rig
from lowkey.errors import LookError
from lowkey.look import NUMBERS, OVERRIDES, VARIABLES, Look, from_json, from_toml, parse, to_json, to_mapping, to_toml, words

EVERY_WORD = [(variable, word) for variable in VARIABLES for word in words(variable)]
WORDS = st.sampled_from(EVERY_WORD)


def code_of(error: pytest.ExceptionInfo[LookError]) -> str:
    return error.value.code


# --- words -------------------------------------------------------------------------------------------------------------------


def test_a_look_is_shot_on_a_film_stock() -> None:
    look = from_toml('light = "rear-left"\nstock = "Pan 400"')
    assert look.stock == "pan-400"
    assert from_toml(to_toml(look)) == look
    assert from_json(to_json(look)) == look
    assert "stock" not in to_mapping(Look())
    with pytest.raises(LookError, match="tungsten-500, portrait-160, reversal-100, pan-400"):
        Look(stock="kodachrome")
    with pytest.raises(LookError, match="stock is text"):
        from_toml("stock = 4")


def test_the_five_tables_hold_the_words_of_the_design() -> None:
    assert [word.word for word in words("light") if not word.mirrored] == [
        "rear-right",
        "hard side-left",
        "front-45-degree Rembrandt",
        "overhead hatchlight",
        "side-split",
        "full backlight",
    ]
    assert {word.word for word in words("light") if word.mirrored} >= {"rear-left", "hard side-right"}
    assert [word.word for word in words("background")] == [
        "dust motes and film grain",
        "smoke and bokeh",
        "concrete texture",
        "crushed velvet",
    ]
    assert {word.word for word in words("clothing")} == {
        "dark turtleneck",
        "black leather jacket",
        "white linen shirt",
        "bare shoulders",
        "as worn",
    }
    assert {word.word for word in words("pose")} == {
        "hands on chin looking upward",
        "direct gaze into lens",
        "profile view downward",
        "eyes closed",
        "as shot",
    }
    assert [word.word for word in words("flare")] == [
        "prominent bright halo",
        "multi-ring anamorphic flare",
        "clean backlight",
        "no flare",
    ]


@pytest.mark.parametrize(("variable", "word"), EVERY_WORD, ids=lambda value: getattr(value, "slug", value))
def test_every_spelling_means_its_word(variable: str, word: looks.Word) -> None:
    for spelling in (word.word, word.slug, *word.aliases):
        assert parse(variable, spelling).text == word.word
    assert word.does.endswith(".")
    assert word.slug.replace("-", "").isalnum()
    assert word.slug == word.slug.lower()


@pytest.mark.parametrize("variable", VARIABLES)
def test_slugs_tell_words_apart(variable: str) -> None:
    slugs = [word.slug for word in words(variable)]
    assert len(set(slugs)) == len(slugs)


@given(WORDS, st.data())
def test_case_and_spacing_do_not_matter(pair: tuple[str, looks.Word], data: st.DataObject) -> None:
    variable, word = pair
    letters = [data.draw(st.sampled_from([sign.lower(), sign.upper()])) for sign in word.word]
    gaps = st.sampled_from([" ", "-", "_", "  ", " - ", "\u00a0"])
    spoken = "".join(data.draw(gaps) if sign in " -" else sign for sign in letters)
    assert parse(variable, f" {spoken} ").text == word.word


@given(st.sampled_from(VARIABLES), st.text(max_size=60))
def test_any_text_is_understood_or_refused_with_the_words(variable: str, text: str) -> None:
    try:
        term = parse(variable, text)
    except LookError as error:
        refusal = error
    else:
        assert parse(variable, term.text) == term
        return
    helps = all(word.word in refusal.message for word in words(variable))
    assert helps if refusal.code == "unknown-word" else refusal.code == "number-out-of-range"


def test_a_near_miss_is_told_what_was_near() -> None:
    with pytest.raises(LookError, match='did you mean "rear-right"') as error:
        parse("light", "rear-rihgt")
    assert code_of(error) == "unknown-word"
    with pytest.raises(LookError) as error:
        parse("light", "moonlit")
    assert "did you mean" not in error.value.message


def test_two_mirrored_forms_share_one_table_row() -> None:
    pairs = {"rear-right": "rear-left", "hard side-left": "hard side-right", "side-split": "side-split left"}
    for first, other in pairs.items():
        one, two = parse("light", first).word, parse("light", other).word
        assert one is not None
        assert two is not None
        assert one.values is two.values
        assert (one.mirrored, two.mirrored) == (False, True)


# --- numbers -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", VARIABLES)
def test_the_example_of_each_numeric_form_is_one(variable: str) -> None:
    assert parse(variable, NUMBERS[variable].example).numbers


@given(st.floats(-180, 180), st.floats(-90, 90), st.none() | st.floats(0.1, 30))
def test_light_by_numbers_comes_back(azimuth: float, elevation: float, radius: float | None) -> None:
    given_numbers = [azimuth, elevation] + ([] if radius is None else [radius])
    term = parse("light", ",".join(f"{value:.4f}" for value in given_numbers))
    assert term.numbers == pytest.approx(tuple(given_numbers), abs=1e-4)
    assert parse("light", term.text) == term
    assert term.slug.replace("-", "").isalnum()


def test_numbers_are_canonical() -> None:
    assert parse("light", " 95.0 , +18 ").text == "95,18"
    assert parse("light", "-0,0").text == "0,0"
    assert parse("light", "270,10").text == "-90,10"
    assert parse("light", "-88.5,8").slug == "az-88p5el8"
    assert parse("flare", "0.50").slug == "flare0p5"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("light", "95"),
        ("light", "400,0"),
        ("light", "0,91"),
        ("light", "0,0,0"),
        ("light", "0,0,99"),
        ("background", "-1"),
        ("background", "1,2"),
        ("clothing", "1.01"),
        ("pose", "91,0"),
        ("flare", "2"),
    ],
)
def test_numbers_out_of_range_are_refused_with_the_form(variable: str, text: str) -> None:
    with pytest.raises(LookError) as error:
        parse(variable, text)
    assert code_of(error) == "number-out-of-range"
    assert NUMBERS[variable].form in error.value.message


@pytest.mark.parametrize(
    "text", ["nan,0", "inf,0", "1e2,0", "0x10,2", "١,٢", "", ",", "1,,2", "1,2,3,4", "rear-right\n", "\u202erear", "a" * 500]
)
def test_what_only_looks_like_a_number_or_word_is_refused(text: str) -> None:
    with pytest.raises(LookError):
        parse("light", text)


# --- looks -------------------------------------------------------------------------------------------------------------------


def test_the_default_look_is_what_the_darkroom_can_do() -> None:
    assert Look() == Look("rear-right", "dust motes and film grain", "dark turtleneck", "as shot", "prominent bright halo")


def test_the_house_look_is_the_first_word_of_each_table() -> None:
    house = looks.find("house")
    assert [getattr(house, variable) for variable in VARIABLES] == [words(variable)[0].word for variable in VARIABLES]


def test_equal_meaning_is_equal() -> None:
    assert Look(light="REAR  RIGHT", flare="Halo".replace("Halo", "bright halo")) == Look()
    assert hash(Look(light="Rear_Right")) == hash(Look())


def test_every_look_that_ships_is_whole() -> None:
    assert looks.names()[0] == "house"
    for name in looks.names():
        look = looks.find(name)
        assert look.title
        assert look.mood
        assert look.tags
        assert look.use


PLAIN_TEXT = st.text(st.characters(exclude_categories=["C"]), max_size=40)


@st.composite
def any_look(draw: st.DrawFn) -> Look:
    chosen = {variable: draw(st.sampled_from([word.word for word in words(variable)])) for variable in VARIABLES}
    chosen["light"] = draw(st.sampled_from([chosen["light"], "12.5,-3", "-170,60,12"]))
    numbers = {}
    for name in draw(st.lists(st.sampled_from(sorted(OVERRIDES)), unique=True)):
        low, high = OVERRIDES[name]
        if name == "lamp_visible":
            continue
        numbers[name] = draw(st.floats(max(low, -20), high) | (st.just(-math.inf) if low == -math.inf else st.nothing()))
    if chosen["background"].startswith("dust"):
        numbers.pop("motes_per_fh2", None)
    labels = st.lists(PLAIN_TEXT, max_size=4)
    return Look(
        **chosen,
        title=draw(PLAIN_TEXT),
        avoid=draw(PLAIN_TEXT),
        mood=draw(PLAIN_TEXT),
        tags=tuple(draw(labels)),
        use=tuple(draw(labels)),
        rig=tuple(numbers.items()),
    )


@given(any_look())
def test_a_look_survives_toml_and_json(look: Look) -> None:
    assert from_toml(to_toml(look)) == look
    assert from_json(to_json(look)) == look
    assert json.loads(to_json(look))["lowkey_look"] == looks.VERSION


def mirrored(look: Look) -> Look:
    """The look with its light from the other side: the mirrored form of its word, or the azimuth's other sign."""
    term = look.term("light")
    if term.word is None:
        azimuth, *rest = term.numbers
        return look.but(light=",".join(str(value) for value in (-azimuth, *rest)))
    pair = [word for word in words("light") if word.values is term.word.values]
    return look.but(light=next((word.word for word in pair if word.mirrored != term.word.mirrored), term.word.word))


LIGHTS_BY_NUMBERS = st.tuples(st.integers(-179, 179).filter(bool), st.integers(-90, 90), st.integers(1, 30))
ANY_LIGHT = st.sampled_from([word.word for word in words("light")]) | LIGHTS_BY_NUMBERS.map(lambda n: ",".join(map(str, n)))


@given(any_look(), ANY_LIGHT)
def test_mirrored_twice_is_itself(look: Look, light: str) -> None:
    look = look.but(light=light)
    other = mirrored(look)
    assert mirrored(other) == look
    one, two = rig.of(look), rig.of(other)
    if other.light == look.light:  # from the middle: its own mirror image
        assert one == two
        return
    for source, reflected in zip((one.key, one.rim, *one.extra), (two.key, two.rim, *two.extra), strict=True):
        assert (source is None) is (reflected is None)
        if source is None or reflected is None:
            continue
        assert source.irradiance_rgb == reflected.irradiance_rgb
        if isinstance(source.direction, rig.Direction) and isinstance(reflected.direction, rig.Direction):
            x, y, z = source.direction.vector
            assert reflected.direction.vector == pytest.approx((-x, y, z), abs=1e-9)
    (x, y), (u, v) = one.lamp.place_fw_fh, two.lamp.place_fw_fh
    assert (u, v) == (pytest.approx(1 - x), y)
    assert (one.lens, one.backdrop, one.cloth, one.stock) == (two.lens, two.backdrop, two.cloth, two.stock)


@given(any_look())
def test_a_look_is_made_of_its_own_words(look: Look) -> None:
    """Canonical words and numbers mean what they say: parsed again, in any case, they are themselves."""
    for variable in VARIABLES:
        term = look.term(variable)
        assert parse(variable, term.text) == term
        assert getattr(look, variable) == term.text
    assert look.but(**{variable: look.term(variable).text.upper() for variable in VARIABLES}) == look


@pytest.mark.parametrize("word", [word for word in words("light") if "azimuth_deg" in word.values["key"]], ids=lambda word: word.slug)
def test_a_word_and_its_numbers_are_one_key(word: looks.Word) -> None:
    key = word.values["key"]
    side = -1 if word.mirrored else 1
    spoken = rig.of(Look(light=word.word)).key
    counted = rig.of(Look(light=f"{side * key['azimuth_deg']},{key['elevation_deg']},{key['radius_deg']}")).key
    assert isinstance(spoken.direction, rig.Direction)
    assert isinstance(counted.direction, rig.Direction)
    assert spoken.direction.vector == pytest.approx(counted.direction.vector, abs=1e-9)
    assert spoken.angular_radius_deg == counted.angular_radius_deg


@pytest.mark.parametrize(("word", "number"), [("no flare", "0"), ("prominent bright halo", "1")])
def test_a_flare_word_and_its_strength_are_one_lens(word: str, number: str) -> None:
    assert rig.of(Look(flare=word)).lens == rig.of(Look(flare=number)).lens


def test_but_changes_what_is_given_and_nothing_else() -> None:
    base = looks.find("house")
    other = base.but(light="rear-left", clothing=None, rig={"fill_ev": -5.0, "exposure_ev": None})
    assert (other.light, other.clothing, other.overrides) == ("rear-left", base.clothing, {"fill_ev": -5.0})
    assert other.but(light="rear-right").title == base.title


@pytest.mark.parametrize(
    ("variables", "numbers", "way_out"),
    [
        ({"flare": "no flare"}, {"lamp_visible": 1}, "clean backlight"),
        ({"flare": "0"}, {"lamp_visible": 1}, "clean backlight"),
        ({"flare": "prominent bright halo"}, {"lamp_visible": 0}, "no flare"),
        ({"background": "dust motes and film grain"}, {"motes_per_fh2": 0}, "plain black void"),
    ],
)
def test_contradictions_are_refused_with_the_way_out(variables: dict[str, str], numbers: dict[str, float], way_out: str) -> None:
    with pytest.raises(LookError, match=way_out) as error:
        Look(**variables, rig=tuple(numbers.items()))
    assert code_of(error) == "contradiction"


@pytest.mark.parametrize("numbers", [{"fill_ev": 0.0}, {"exposure_ev": 9.0}, {"grain_rms": math.nan}, {"fill_ev": math.inf}])
def test_overrides_have_ranges(numbers: dict[str, float]) -> None:
    with pytest.raises(LookError) as error:
        Look(rig=tuple(numbers.items()))
    assert code_of(error) == "number-out-of-range"


# --- look files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("light = 'rear-right'\nphoto = '/etc/passwd'", "bad-look-file"),
        ("light = 3", "bad-look-file"),
        ("tags = 'album'", "bad-look-file"),
        ("tags = [1]", "bad-look-file"),
        ("rig = 3", "bad-look-file"),
        ("[rig]\nkey = 1", "bad-look-file"),
        ("[rig]\nfill_ev = 'much'", "number-out-of-range"),
        ("light = 'moon'", "unknown-word"),
        ("lowkey_look = 2", "newer-look"),
        ("lowkey_look = true", "newer-look"),
        ("light = ", "bad-look-file"),
        ("title = '" + "x" * 201 + "'", "bad-look-file"),
        ('title = "a\\u0000b"', "bad-look-file"),
        ("tags = [" + "'x'," * 40 + "]", "bad-look-file"),
        ("# " + "x" * 70_000, "bad-look-file"),
        ("a = " + "[" * 5000, "bad-look-file"),
    ],
)
def test_a_strange_toml_is_one_clear_line(text: str, code: str) -> None:
    with pytest.raises(LookError) as error:
        from_toml(text, "strange.toml")
    assert code_of(error) == code
    assert "\n" not in error.value.message


@pytest.mark.parametrize("text", ["[]", "null", "3", "{", '{"rig": [1]}', "[" * 100_000, '{"light": NaN}', '{"rig": {"fill_ev": 1e999}}'])
def test_a_strange_json_is_one_clear_line(text: str) -> None:
    with pytest.raises(LookError):
        from_json(text, "strange.json")


@given(st.text(max_size=200))
def test_no_text_crashes_the_reader_of_look_files(text: str) -> None:
    for read in (from_toml, from_json):
        with suppress(LookError):
            assert isinstance(read(text), Look)


def test_find_reads_names_and_files(tmp_path: Path) -> None:
    look = looks.find("old-master")
    for name, text in (("mine.toml", to_toml(look)), ("mine.JSON", to_json(look))):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert looks.find(tmp_path / name) == look


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("nobody", None, "unknown-look"),
        ("../house", None, "unknown-look"),
        ("there-is-none.toml", None, "bad-look-file"),
        ("latin.toml", b"title = '\xe9'", "bad-look-file"),
        ("big.json", b" " * 70_000, "bad-look-file"),
    ],
)
def test_find_says_what_is_wrong(tmp_path: Path, name: str, content: bytes | None, code: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LookError) as error:
        looks.find(path if name.endswith(("toml", "json")) else name)
    assert code_of(error) == code


@pytest.mark.parametrize("name", ["em\0ber.toml", "\ud800.toml", "a" * 300 + ".json"])
def test_a_name_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(LookError) as error:
        looks.find(name)
    assert code_of(error) == "bad-look-file"
    assert error.value.message.isprintable()


def test_a_pipe_is_no_look_file(tmp_path: Path) -> None:
    """Opening it would wait for ever."""
    os.mkfifo(tmp_path / "pipe.toml")
    with pytest.raises(LookError, match="bad-look-file"):
        looks.find(tmp_path / "pipe.toml")

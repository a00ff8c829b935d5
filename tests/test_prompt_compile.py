"""Laws of `compile`: every word leaves its mark, sides are the viewer's, nothing contradicts itself, budgets hold."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowkey import look as looks
from lowkey.errors import LookError
from lowkey.look import NUMBERS, OVERRIDES, VARIABLES, Look, Word, words
from lowkey.prompt import Words, compile, dialects, lexicon, lint, remedy_names, shelf, tokens

HOUSE = shelf.find("house")
SPECS = dialects.specs()
FLUX = [spec for spec in SPECS if spec.startswith("flux")]
EVERY = tuple(itertools.product(*(words(variable) for variable in VARIABLES)))
DENIAL = re.compile(r"\b(?:no|not|without|never|avoid\w*|don't|do not|isn't|nothing|free of|none)\b", re.IGNORECASE)

# What of a word must be found in the text of any dialect, whatever else it says.
MARKS = {
    "rear-right": r"behind",
    "hard side-left": r"\bhard\b.*knife-edge",
    "front-45-degree Rembrandt": r"45 degrees.*triangle|triangle.*45 degrees",
    "overhead hatchlight": r"\bceiling\b",
    "side-split": r"half of the face",
    "full backlight": r"rim\b.*almost a silhouette",
    "dust motes and film grain": r"dust motes.*film grain",
    "smoke and bokeh": r"smoke.*bokeh",
    "concrete texture": r"concrete wall",
    "crushed velvet": r"crushed velvet",
    "dark turtleneck": r"dark turtleneck.*weave",
    "black leather jacket": r"black leather jacket.*glint",
    "white linen shirt": r"white linen shirt",
    "bare shoulders": r"shoulders (?:are )?bare.*collarbones",
    "as worn": r"(?:own|same) clothes.*darkened.*weave",
    "hands on chin looking upward": r"hands.*chin.*(?:gaze|lift)",
    "direct gaze into lens": r"lens",
    "profile view downward": r"profile.*lowered",
    "eyes closed": r"closed|Close the person's eyes",
    "as shot": r"[Pp]ose(?:,| and) gaze",
    "prominent bright halo": r"bright halo",
    "multi-ring anamorphic flare": r"multi-ring anamorphic flare",
    "clean backlight": r"clean (?:lamp )?glow",
    "no flare": r"lamp.*(?:outside|above|hidden).*crisp",
}


def spoken(*chosen: Word) -> Look:
    given: dict[str, Any] = {variable: word.word for variable, word in zip(VARIABLES, chosen, strict=True)}
    return Look(**given)


def house(**changed: Any) -> Look:
    return HOUSE.but(**changed)


def clause(said: Words, role: str) -> str:
    return " ".join(one.text for one in said.clauses if one.role == role)


def swapped(text: str) -> str:
    return re.sub(r"\b(left|right)\b", lambda side: "right" if side[0] == "left" else "left", text)


def prose(said: Words) -> str:
    """The text without Midjourney's parameters."""
    return said.text.partition(" --")[0]


def some(count: int, seed: int = 1) -> list[tuple[Word, ...]]:
    return random.Random(seed).sample(EVERY, count)


# --- Every word leaves its mark.


def test_the_lexicon_says_exactly_the_words_of_the_vocabulary() -> None:
    for variable in VARIABLES:
        rows = {name: row for name, row in lexicon.table(variable).items() if isinstance(row, dict) and "because" in row and "short" in row}
        said = {*rows, *(row["mirror"] for row in rows.values() if "mirror" in row)}
        assert said == {word.word for word in words(variable)}


def test_every_word_has_a_mark_here() -> None:
    assert set(MARKS) == {word.word for variable in VARIABLES for word in words(variable) if not word.mirrored}


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("variable", VARIABLES)
def test_every_word_is_seen_in_the_text(spec: str, variable: str) -> None:
    base = [word for word in words(variable) if not word.mirrored]
    for word in base:
        said = compile(house(**{variable: word.word}), spec)
        own = clause(said, variable) + " " + clause(said, "terminator")
        assert re.search(MARKS[word.word], own, re.DOTALL | re.IGNORECASE), f"{word.word}: {own}"
        # The mark is the word's own: no other word of the variable bears it.
        others = [other for other in base if other.word != word.word]
        for other in others:
            text = compile(house(**{variable: other.word}), spec)
            if word.word in ("rear-right", "direct gaze into lens", "side-split", "as shot"):
                continue  # their marks are common words; distinctness is tested below
            assert not re.search(MARKS[word.word], clause(text, variable) + " " + clause(text, "terminator"), re.DOTALL | re.IGNORECASE)


@pytest.mark.parametrize("spec", SPECS)
def test_no_two_words_compile_to_the_same_text(spec: str) -> None:
    for variable in VARIABLES:
        for light in ("rear-right", "full backlight"):
            texts = [compile(house(light=light).but(**{variable: word.word}), spec).text for word in words(variable)]
            assert len(set(texts)) == len(texts), variable


@pytest.mark.soak
@pytest.mark.parametrize("spec", SPECS)
def test_no_two_looks_at_all_compile_to_the_same_text(spec: str) -> None:
    texts = {compile(spoken(*chosen), spec).text for chosen in EVERY}
    assert len(texts) == len(EVERY)


@pytest.mark.parametrize("spec", SPECS)
def test_the_promise_is_in_every_prompt(spec: str) -> None:
    for chosen in some(40):
        said = compile(spoken(*chosen), spec)
        assert re.search(r"low-key, high dynamic range", said.text, re.IGNORECASE)
        assert re.search(r"\bsingle warm lamp\b", said.text)
        assert re.search(r"sharp|knife-edge", clause(said, "terminator"))
        assert re.search(r"detail|texture", clause(said, "highlights"))
        assert "4:5" in said.text
        assert re.search(r"near-black|shadow", clause(said, "light"))
        assert "film" in said.text
        assert re.search(r"photograph", said.text)
        roles = [one.role for one in said.clauses]
        assert set(VARIABLES) <= set(roles)
        assert clause(said, "reference")


@pytest.mark.parametrize(
    ("spec", "idiom"),
    [
        ("flux2:prose", "person from image 1, exact likeness"),
        ("flux2:json", "person from image 1, exact likeness"),
        ("flux1-kontext", "the same facial features"),
        ("flux3:edit", "image 1"),
        ("flux3:caption", "image 1"),
        ("midjourney:v7", "--oref REFERENCE_URL --ow 400"),
        ("midjourney:v6", "--cref REFERENCE_URL --cw 100"),
        ("openai", "do not beautify"),
        ("plain", "the reference photo"),
    ],
)
def test_identity_is_held_in_the_models_own_idiom(spec: str, idiom: str) -> None:
    assert idiom in clause(compile(HOUSE, spec), "reference")


@pytest.mark.parametrize("spec", SPECS)
def test_motes_are_asked_for_when_the_background_asks(spec: str) -> None:
    for word in words("background"):
        assert ("motes" in compile(house(background=word.word), spec).text) == (word.slug == "dust")


@pytest.mark.parametrize("spec", SPECS)
def test_clauses_stand_in_the_text_in_order_and_say_why(spec: str) -> None:
    for chosen in some(20):
        said = compile(spoken(*chosen), spec, ("no-fill", "weave:positive"))
        place = 0
        for one in said.clauses:
            assert one.because
            assert one.source
            if one.role.startswith("remedy:") and "midjourney" in spec and "--no" in said.text and one.text not in prose(said):
                assert all(ban in said.negative for ban in one.text.split(", "))
                continue
            if one.role == "no":
                assert all(ban in said.negative for ban in one.text.removeprefix("--no ").split(", "))
                continue
            found = said.text.find(one.text, 0 if spec == "flux2:json" else place)
            assert found >= 0, one
            place = found + len(one.text)


# --- Sides.


@pytest.mark.parametrize("spec", SPECS)
def test_a_mirrored_light_swaps_every_side_and_nothing_else(spec: str) -> None:
    lights = [(word, words("light")[place + 1]) for place, word in enumerate(words("light")[:-1]) if words("light")[place + 1].mirrored]
    assert len(lights) == 5
    for chosen in some(40):
        for one, other in lights:
            said, mirrored = compile(spoken(one, *chosen[1:]), spec), compile(spoken(other, *chosen[1:]), spec)
            assert said.text != mirrored.text
            assert swapped(said.text) == mirrored.text


@given(
    azimuth=st.floats(-180, 180).map(lambda value: round(value, 1)),
    elevation=st.integers(-60, 90),
    yaw=st.integers(-90, 90),
    remedy=st.sampled_from(("lit-side", "lit-side:literal", "motes")),
)
@settings(max_examples=40, deadline=None)
def test_numbers_mirror_too(azimuth: float, elevation: int, yaw: int, remedy: str) -> None:
    one = Look(light=f"{azimuth},{elevation}", pose=f"{yaw},0")
    other = Look(light=f"{-azimuth},{elevation}", pose=f"{-yaw},0")
    for spec in SPECS:
        assert swapped(compile(one, spec, (remedy,)).text) == compile(other, spec, (remedy,)).text


@pytest.mark.parametrize("spec", SPECS)
def test_left_and_right_are_the_viewers(spec: str) -> None:
    """Rear-right lights the cheek at frame-right; only where a model is told the subject's own side is that its left."""
    said = clause(compile(house(light="rear-right"), spec), "light")
    bright = re.search(r"(left|right)[^,;:.]*\bbright", said)
    assert bright
    if spec.startswith("openai"):
        assert "right side of the picture (the subject's own left cheek) is bright" in said
    else:
        assert bright[1] == "right"
        assert "own" not in said
    bare = re.sub(r"\([^)]*\)", "", said)
    assert re.search(r"left[^,;:.]*(?:near-black|shadow)", bare)


@pytest.mark.parametrize("spec", SPECS)
def test_every_side_says_of_what(spec: str) -> None:
    """Never a bare "left cheek", which half the models take for the subject's."""
    for chosen in some(60):
        text = prose(compile(spoken(*chosen), spec, ("lit-side",)))
        said = re.sub(r"frame-(?:left|right)|frame's (?:left|right) edge|the (?:left|right) (?:side|edge) of|own (?:left|right)", "", text)
        assert not re.search(r"\b(?:left|right)\b", said), said


# --- Nothing contradicts itself.


def warnings(said: Words, spec: str) -> list[str]:
    return [f"{one.code} {one.seen}" for one in lint(said.text, spec)]


@pytest.mark.parametrize("spec", SPECS)
def test_the_linter_finds_nothing_in_any_pair_of_words(spec: str) -> None:
    """Not even a note: every pair of words of two variables, the rest the house's."""
    for one, other in itertools.combinations(VARIABLES, 2):
        for first, second in itertools.product(words(one), words(other)):
            if random.Random(f"{spec}{first.word}{second.word}").random() < 0.2:
                said = compile(house(**{one: first.word, other: second.word}), spec)
                assert not warnings(said, spec), said.text


@pytest.mark.parametrize("spec", SPECS)
def test_the_linter_finds_nothing_in_any_look_of_the_shelf(spec: str) -> None:
    for name in looks.names():
        said = compile(shelf.find(name), spec)
        assert not warnings(said, spec), (name, said.text)


@pytest.mark.soak
@pytest.mark.parametrize("spec", SPECS)
def test_the_linter_finds_nothing_in_any_combination_at_all(spec: str) -> None:
    for chosen in EVERY:
        said = compile(spoken(*chosen), spec)
        assert not warnings(said, spec), said.text


@pytest.mark.parametrize("spec", SPECS)
def test_remedies_do_not_contradict_the_look(spec: str) -> None:
    for place, name in enumerate(looks.names()):
        look = shelf.find(name)
        # Every remedy meets every fourth look, another four in each dialect.
        for remedy in remedy_names()[(place + SPECS.index(spec)) % 4 :: 4]:
            if remedy == "halo" and look.flare == "no flare":
                continue  # refused: see below
            said = compile(look, spec, (remedy,))
            assert not warnings(said, spec), (name, remedy, said.text)


@pytest.mark.parametrize("spec", FLUX)
def test_flux_is_never_told_what_is_not_there(spec: str) -> None:
    for chosen in some(80):
        assert not DENIAL.search(compile(spoken(*chosen), spec, tuple(name for name in remedy_names() if name != "halo")).text)


@pytest.mark.parametrize("spec", SPECS)
def test_white_linen_lifts_the_shadow_unless_a_remedy_forbids_it(spec: str) -> None:
    lifted, dry = compile(house(clothing="white linen shirt"), spec), compile(house(clothing="white linen shirt"), spec, ("no-fill",))
    assert re.search(r"lift|glow", clause(lifted, "clothing"))
    assert "near-black" not in clause(lifted, "light")
    assert not re.search(r"lift|glow", clause(dry, "clothing"))
    assert "near-black" in clause(dry, "light")
    assert "near-black" in clause(compile(HOUSE, spec), "light")


# --- Remedies.


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("remedy", remedy_names())
def test_every_remedy_leaves_its_mark_in_both_forms(spec: str, remedy: str) -> None:
    plain = compile(HOUSE, spec).text
    row = lexicon.table("remedies")[remedy]
    assert compile(HOUSE, spec, (remedy,)).text != plain
    for form in ("positive", "literal"):
        said = compile(HOUSE, spec, (f"{remedy}:{form}",))
        start = re.split(r"\{", row[form])[0]
        assert start in said.text


@pytest.mark.parametrize("spec", SPECS)
def test_the_literal_no_fill_is_to_be_had_everywhere(spec: str) -> None:
    assert "no fill light, no ambient bounce" in compile(HOUSE, spec, ("no-fill:literal",)).text
    bare = compile(HOUSE, spec, ("no-fill",))
    if spec.startswith("flux"):
        assert "unlit room" in bare.text
    elif spec.startswith("midjourney"):
        assert bare.text.endswith("fill light, ambient bounce")
        assert "--no " in bare.text
    else:
        assert "no fill light, no ambient bounce" in bare.text


def test_remedies_are_said_once_and_in_the_order_asked() -> None:
    said = compile(HOUSE, "plain", ("motes", "no-fill", "motes"))
    assert [one.role for one in said.clauses if one.role.startswith("remedy:")] == ["remedy:motes", "remedy:no-fill"]


def test_a_look_without_fill_always_carries_the_remedy() -> None:
    look = house(rig={"fill_ev": -math.inf})
    assert "remedy:no-fill" in [one.role for one in compile(look, "flux2").clauses]
    again = compile(look, "flux2", ("no-fill",))
    assert [one.role for one in again.clauses].count("remedy:no-fill") == 1


@pytest.mark.parametrize("asked", ["nope", "no-fill:loud", "", ":", "no-fill:literal:positive", "x" * 5000])
def test_unknown_remedies_are_refused_in_words(asked: str) -> None:
    with pytest.raises(LookError, match="no-fill, hold-highlights") as caught:
        compile(HOUSE, "flux2", (asked,))
    assert caught.value.code == "unknown-remedy"


def test_a_halo_where_the_lamp_is_hidden_is_a_contradiction() -> None:
    for look in (house(flare="no flare"), house(flare="0"), house(flare="clean backlight", rig={"lamp_visible": 0})):
        with pytest.raises(LookError) as caught:
            compile(look, "flux2", ("halo",))
        assert caught.value.code == "contradiction"


# --- Numbers and overrides.


def numbers(variable: str) -> st.SearchStrategy[str]:
    ranges = NUMBERS[variable].ranges
    each = [st.floats(low, high, allow_nan=False).map(lambda value: f"{value:.2f}") for low, high in ranges]
    return st.integers(NUMBERS[variable].least, len(ranges)).flatmap(lambda count: st.tuples(*each[:count]).map(",".join))


def either(variable: str) -> st.SearchStrategy[str]:
    return st.one_of(st.sampled_from([word.word for word in words(variable)]), numbers(variable))


@given(st.fixed_dictionaries({variable: either(variable) for variable in VARIABLES}), st.sampled_from(SPECS))
@settings(max_examples=60, deadline=None)
def test_any_look_compiles_cleanly_and_the_same_again(chosen: dict[str, str], spec: str) -> None:
    look = Look(**chosen)
    said = compile(look, spec)
    assert said == compile(look, spec)
    assert "{" not in said.text.replace("{\n", "").replace("  {", "") or spec == "flux2:json"
    assert not re.search(r" ,| \.(?!\d)|,,|\.\.|,\.|\.,|  (?! )", prose(said)) or spec == "flux2:json", said.text
    assert not [one for one in lint(said.text, spec) if one.level == "warning"], said.text
    if spec == "flux2:json":
        assert json.loads(said.text)["subjects"][0]["action"]


def test_numbers_are_told_apart() -> None:
    pairs = [
        ("light", "95,18", "130,18"),
        ("light", "40,60", "40,10"),
        ("light", "95,18,1", "95,18,8"),
        ("background", "5", "400"),
        ("clothing", "0.02", "0.6"),
        ("pose", "20,0", "-20,0"),
        ("pose", "0,12", "0,-12"),
        ("flare", "0.2", "0.9"),
        ("flare", "0", "0.2"),
    ]
    for spec in SPECS:
        for variable, one, other in pairs:
            assert compile(house(**{variable: one}), spec).text != compile(house(**{variable: other}), spec).text, (variable, one)


OFF_DEFAULT = {
    "exposure_ev": (-1, 1),
    "fill_ev": (-10, -4),
    "grain_rms": (0.005, 0.03),
    "halo_radius_fh": (0.05, 0.3),
    "motes_per_fh2": (30, 900),
    "lamp_visible": (0, 1),
}


@pytest.mark.parametrize("spec", SPECS)
def test_every_override_leaves_its_mark(spec: str) -> None:
    assert set(OFF_DEFAULT) == set(OVERRIDES)
    for name, values in OFF_DEFAULT.items():
        base = house(flare="clean backlight")
        texts = {compile(base, spec).text, *(compile(base.but(rig={name: value}), spec).text for value in values)}
        assert len(texts) == 3, name
    assert compile(house(rig={"grain_rms": 0.014}), spec).text == compile(HOUSE, spec).text  # the default says nothing


def test_a_hidden_lamp_is_not_shown() -> None:
    for flare in ("clean backlight", "0.5"):
        said = compile(house(flare=flare, rig={"lamp_visible": 0, "halo_radius_fh": 0.3}), "plain").text
        assert "outside the frame" in said
        assert "lamp shows" not in said
        assert "glow spreads" not in said


# --- Budgets.


def test_flux2_prose_is_30_to_80_words_for_every_look_there_is() -> None:
    spoken_in = dialects.find("flux2:prose")
    low, high = spoken_in.data["words"]
    for chosen in EVERY:
        said = compile(spoken(*chosen), spoken_in).text
        assert low <= len(said.split()) <= high, said


@pytest.mark.parametrize("spec", SPECS)
def test_limits_are_kept(spec: str) -> None:
    data = dialects.find(spec).data
    for chosen in some(60):
        text = compile(spoken(*chosen), spec, ("no-fill", "hold-highlights", "motes")).text
        if "tokens" in data:
            assert tokens.estimate(text, data["encoder"]) <= data["tokens"]
        assert len(text) <= data.get("characters", 10**6)


def test_kontext_says_the_look_within_clips_77_tokens() -> None:
    summary = dialects.find("flux1-kontext").data["summary"]
    for chosen in some(80):
        head = tokens.head(compile(spoken(*chosen), "flux1-kontext").text, "clip", summary["tokens"])
        for must in summary["must_hold"]:
            assert must in head
        assert "shadow" in head or "bright" in head


def test_too_many_remedies_for_kontext_are_said() -> None:
    every = tuple(remedy_names())
    assert any("reads the first 512" in note for note in compile(HOUSE, "flux1-kontext", every).notes)
    assert not any("reads the first 512" in note for note in compile(HOUSE, "flux1-kontext").notes)


# --- Parameters and what goes with a look.


def test_parameters_are_what_the_model_takes() -> None:
    flux = compile(HOUSE, "flux2", seed=7, aspect=(2, 3))
    assert flux.parameters == {"width": 832, "height": 1248, "seed": 7}
    kontext = compile(HOUSE, "flux1-kontext").parameters
    assert kontext["max_area"] == kontext["width"] * kontext["height"] == 896 * 1120  # type: ignore[operator]
    assert kontext["max_sequence_length"] == 512
    assert compile(HOUSE, "flux3").parameters["grounding"] is False
    assert "seed" not in compile(HOUSE, "openai", seed=7).parameters
    assert any("Seed 7" in note for note in compile(HOUSE, "openai", seed=7).notes)
    assert any("averaged" in note for note in compile(HOUSE, "openai").notes)
    assert compile(HOUSE, "openai").parameters["size"] == "896x1120"
    assert "dall" not in str(compile(HOUSE, "openai").parameters).lower()


def test_midjourney_always_names_its_version_and_only_that_versions_reference() -> None:
    url = "https://example.com/me.jpg"
    new, old = (compile(HOUSE, f"midjourney:{form}", reference=url, seed=3, aspect=(2, 3)).text for form in ("v7", "v6"))
    for text, has, lacks, version in ((new, "oref", "cref", "7"), (old, "cref", "oref", "6.1")):
        assert f"--{has} {url}" in text
        assert f"--{lacks}" not in text
        assert f"--v {version} " in text
        assert "--ar 2:3" in text
        assert "--style raw" in text
        assert "--seed 3" in text
        assert text.index("--") > text.index("2:3 portrait")
    assert "--ow " in new
    assert "--cw " in old
    assert "--seed" not in compile(HOUSE, "midjourney").text


def test_a_guide_is_the_second_picture_where_there_can_be_one() -> None:
    assert "image 2" in compile(HOUSE, "flux2", guide=True).text
    assert "image 2" not in compile(HOUSE, "flux2").text
    for spec in SPECS:
        if dialects.find(spec).references < 2:
            with pytest.raises(LookError) as caught:
                compile(HOUSE, spec, guide=True)
            assert caught.value.code == "one-reference"
        else:
            assert not [one for one in lint(compile(HOUSE, spec, guide=True).text, spec) if one.level == "warning"]


@pytest.mark.parametrize("spec", SPECS)
def test_squares_are_squares(spec: str) -> None:
    said = compile(HOUSE, spec, aspect=(3000, 3000)).text
    assert "1:1" in said
    assert "vertical" not in said


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"aspect": (16, 9)}, "landscape"),
        ({"aspect": (0, 5)}, "bad-aspect"),
        ({"aspect": (1, 9)}, "bad-aspect"),
        ({"seed": -1}, "bad-seed"),
        ({"seed": 2**32}, "bad-seed"),
        ({"reference": "javascript:alert(1)"}, "bad-reference"),
        ({"reference": "https://example.com/a b --v 5"}, "bad-reference"),
    ],
)
def test_what_no_model_takes_is_refused(given: dict[str, Any], code: str) -> None:
    with pytest.raises(LookError) as caught:
        compile(HOUSE, "midjourney", **given)
    assert caught.value.code == code


@given(st.text(max_size=100).filter(lambda text: text.replace("\n", " ").isprintable()))
@settings(max_examples=80, deadline=None)
def test_a_mood_from_a_strangers_file_commands_nothing(mood: str) -> None:
    try:
        look = house(mood=mood)
    except LookError:
        return
    for spec in ("midjourney", "flux2:json", "plain"):
        said = compile(look, spec)
        added = clause(said, "mood")
        assert not re.search(r"--|[\[\]{}:\"\\<>]", added.removeprefix("The mood:")), added
    assert set(json.loads(compile(look, "flux2:json").text)) <= {
        *("scene", "lighting", "style", "background", "composition", "mood", "subjects", "camera")
    }


def test_words_are_plain_data() -> None:
    said = compile(HOUSE, "flux2")
    assert json.loads(json.dumps(said.to_mapping()))["text"] == said.text
    assert hash(said) == hash(compile(HOUSE, "flux2"))

"""The shelf: curated looks, look files from strangers, and what tells looks apart. (What a look may hold: test_look.py.)"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lowkey import look as looks
from lowkey.errors import LookError, LowkeyError
from lowkey.look import VARIABLES, Look, words
from lowkey.prompt import shelf

TEXT = st.text(st.characters(blacklist_categories=("C", "Z")), max_size=40)


def test_about_two_dozen_looks_with_the_house_first() -> None:
    assert looks.names()[0] == "house"
    assert 20 <= len(looks.names()) <= 32


@pytest.mark.parametrize("name", looks.names())
def test_a_curated_look_is_whole(name: str) -> None:
    look = shelf.find(name)
    assert shelf.check_name(name) == name
    for field in ("title", "mood", "tags", "use", "avoid"):
        assert getattr(look, field), field
    assert look.avoid.endswith(".")
    text = (shelf.FOLDER / f"{name}.toml").read_text("utf-8")
    assert text.startswith(f"lowkey_look = {looks.VERSION}\n")
    assert looks.from_toml(looks.to_toml(look)) == look


def test_no_two_looks_are_the_same_and_together_they_use_every_word() -> None:
    every = [shelf.find(name) for name in looks.names()]
    assert len({tuple(getattr(look, variable) for variable in VARIABLES) for look in every}) == len(every)
    assert len({look.title for look in every}) == len(every)
    for variable in VARIABLES:
        assert {word.word for word in words(variable)} == {getattr(look, variable) for look in every}, variable


@given(
    st.fixed_dictionaries({variable: st.sampled_from([word.word for word in words(variable)]) for variable in VARIABLES}),
    TEXT,
    st.lists(TEXT, max_size=4).map(tuple),
    st.sampled_from([(), (("exposure_ev", -1.0),), (("fill_ev", float("-inf")), ("grain_rms", 0.02))]),
)
@settings(max_examples=80, deadline=None)
def test_a_look_comes_back_from_its_file(chosen: dict[str, Any], said: str, labels: tuple[str, ...], rig: Any) -> None:
    look = Look(**chosen, title=said, mood=said, avoid=said, tags=labels, use=labels, rig=rig)
    assert looks.from_toml(looks.to_toml(look)) == look
    assert looks.from_json(looks.to_json(look)) == look


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("light = 5", "bad-look-file"),
        ("light = 'sideways'", "unknown-word"),
        ("light = '../../etc/passwd'", "unknown-word"),
        ("path = '/etc/passwd'", "bad-look-file"),
        ("include = 'other.toml'", "bad-look-file"),
        ("rig = { script = 1 }", "bad-look-file"),
        ("rig = { exposure_ev = nan }", "number-out-of-range"),
        ("lowkey_look = 2", "newer-look"),
        ("avoid = 3", "bad-look-file"),
        (f"avoid = '{'x' * 5000}'", "bad-look-file"),
        ('mood = "a\\nb"', "bad-look-file"),
        ('title = "\\u0007"', "bad-look-file"),
        ("title = 1979-05-27", "bad-look-file"),
        ("= broken", "bad-look-file"),
        ("a = " + "[" * 5000, "bad-look-file"),
        ("#" * 70_000, "too-large"),
    ],
)
def test_files_from_strangers_are_refused_in_words(text: str, code: str, tmp_path: Path) -> None:
    path = tmp_path / "theirs.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(LookError) as caught:
        shelf.find(str(path))
    assert caught.value.code == code
    assert len(caught.value.message) < 700


@given(text=st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_no_text_at_all_crashes_the_reader(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    for ending in ("toml", "json"):
        path = folder / f"any.{ending}"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        with contextlib.suppress(LookError):
            shelf.find(str(path))


def test_only_regular_files_of_a_bounded_size_are_read(tmp_path: Path) -> None:
    def code(name: str) -> str:
        with pytest.raises(LookError) as caught:
            shelf.find(str(tmp_path / name))
        return caught.value.code

    (tmp_path / "large.toml").write_bytes(b"#" * 10_000_000)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "away.toml").symlink_to(tmp_path / "nowhere.toml")
    assert code("large.toml") == "too-large"
    assert code("binary.toml") == "unreadable-file"
    assert code("folder.toml") == "unreadable-file"
    assert code("away.toml") == "unreadable-file"
    assert code("missing.json") == "unreadable-file"
    assert code("a\0b.toml") == "unreadable-file"
    assert code("look.txt") == "unknown-look"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.toml")
        assert code("pipe.toml") == "unreadable-file"  # and it does not wait for a writer


def test_a_file_with_a_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + b'lowkey_look = 1\r\nlight = "rear left"\r\n')
    assert shelf.find(str(path)).light == "rear-left"


def test_an_empty_file_is_the_default_look(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_text("")
    assert shelf.find(str(tmp_path / "empty.toml")) == Look()


@pytest.mark.parametrize("name", ["", "-", "a b", "../x", "a/b", "Ä", "a" * 41, "a.toml", "con:", "UP", "a-"])
def test_names_that_cannot_be_files_everywhere(name: str) -> None:
    with pytest.raises(LookError) as caught:
        shelf.check_name(name)
    assert caught.value.code == "bad-look-name"


def test_differences_name_what_differs_and_nothing_else() -> None:
    house = shelf.find("house")
    assert shelf.differences(house, house) == []
    changed: dict[str, Any] = {"light": "rear-left", "rig": {"exposure_ev": -1}}
    assert shelf.differences(house, house.but(**changed)) == [("light", "rear-right", "rear-left"), ("rig.exposure_ev", "", "-1")]


def test_unknown_looks_are_named_with_those_there_are() -> None:
    with pytest.raises(LowkeyError, match="house, afterglow"):
        shelf.find("hosue")

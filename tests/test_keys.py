"""Where keys are found, and that nothing shows them."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

import pytest

from lowkey.engines import keys
from lowkey.errors import EngineError

SECRET = "sk-9e7d5c3b1a-secret"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOWKEY_CONFIG", str(tmp_path))
    monkeypatch.delenv("BFL_API_KEY", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return tmp_path


def file(folder: Path, text: str, mode: int = 0o600) -> None:
    (folder / "keys.toml").write_text(text)
    (folder / "keys.toml").chmod(mode)


def test_the_environment_comes_first_then_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file(folder, f'BFL_API_KEY = "{SECRET}"\nFAL_KEY = "other-secret-1234"\n')
    assert (keys.find("BFL_API_KEY").reveal(), keys.find("BFL_API_KEY").found) == (SECRET, "the file keys.toml")
    assert keys.find("FAL_KEY").reveal() == "other-secret-1234"
    monkeypatch.setenv("BFL_API_KEY", f"  {SECRET}-env\n")
    assert keys.find("BFL_API_KEY").reveal() == f"{SECRET}-env"


def test_the_keyring_comes_between(folder: Path) -> None:
    keyring = pytest.importorskip("keyring", reason="keyring is optional and not installed")
    from keyring.backend import KeyringBackend

    class InMemory(KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            return {("lowkey", "BFL_API_KEY"): SECRET}.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            raise NotImplementedError

        def delete_password(self, service: str, username: str) -> None:
            raise NotImplementedError

    class Locked(InMemory):
        def get_password(self, service: str, username: str) -> str | None:
            raise RuntimeError("the keyring is locked")

    file(folder, 'BFL_API_KEY = "from-the-file-1"\n')
    before = keyring.get_keyring()
    try:
        keyring.set_keyring(InMemory())
        assert (keys.find("BFL_API_KEY").reveal(), keys.find("BFL_API_KEY").found) == (SECRET, "the keyring")
        keyring.set_keyring(Locked())
        assert keys.find("BFL_API_KEY").reveal() == "from-the-file-1"
    finally:
        keyring.set_keyring(before)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o660, 0o601])
def test_a_file_that_others_may_touch_is_not_used(mode: int, folder: Path) -> None:
    file(folder, f'BFL_API_KEY = "{SECRET}"\n', mode)
    with pytest.raises(EngineError, match="chmod 600") as refused:
        keys.find("BFL_API_KEY")
    assert refused.value.code == "open-key-file"
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "text", [f'BFL_API_KEY = "{SECRET}', f"BFL_API_KEY = {SECRET}", f'BFL_API_KEY = ["{SECRET}"]', f'BFL_API_KEY = "{SECRET} x"']
)
def test_a_file_that_is_wrong_is_refused_without_being_shown(text: str, folder: Path) -> None:
    file(folder, text)
    with pytest.raises(EngineError) as refused:
        keys.find("BFL_API_KEY")
    assert refused.value.code == "bad-key"
    error: BaseException | None = refused.value
    while error is not None:
        assert SECRET not in str(error)
        error = error.__cause__ or error.__context__


def test_none_is_said_with_every_place(folder: Path) -> None:
    with pytest.raises(EngineError) as refused:
        keys.find("BFL_API_KEY")
    assert refused.value.code == "no-key"
    assert all(part in refused.value.message for part in ("BFL_API_KEY", "keyring set lowkey", str(folder / "keys.toml"), "chmod 600"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here")
def test_a_pipe_in_place_of_the_file_holds_nobody(folder: Path) -> None:
    os.mkfifo(folder / "keys.toml", 0o600)
    with pytest.raises(EngineError, match="no-key"):
        keys.find("BFL_API_KEY")


def test_a_key_is_shown_by_nothing() -> None:
    key = keys.Key(SECRET, "a test")
    assert SECRET not in f"{key} {key!r} {key!s} {[key]} {vars(key) if hasattr(key, '__dict__') else ''}"
    assert key.hidden(f"your key {SECRET} is wrong") == "your key *** is wrong"
    with pytest.raises(TypeError):
        pickle.dumps(key)

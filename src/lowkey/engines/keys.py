"""Keys of paid services: found, carried and never shown.

A key comes from the environment, else from the system's keyring (if the package `keyring` is there), else from a file that
only its owner may read. It is never an option, so it can stand in no shot, no record and no shell history.
"""

from __future__ import annotations

import os
import stat
import sys
import tomllib
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from lowkey.errors import EngineError

SERVICE = "lowkey"
"""Under which the keyring keeps them; the user name is the variable's."""
FILE = "keys.toml"
_LARGEST_BYTES = 64 * 1024


class Key:
    """A secret. Nothing that prints, formats or pickles it shows it; `reveal` hands it to the wire alone."""

    __slots__ = ("_secret", "found")

    def __init__(self, secret: str, found: str) -> None:
        self._secret = secret
        self.found = found
        """Where it was found, in words."""

    def reveal(self) -> str:
        return self._secret

    def hidden(self, text: str) -> str:
        """A text of the service's in which the key, if it says it back, is struck out."""
        return text.replace(self._secret, "***")

    def __repr__(self) -> str:
        return f"Key(from {self.found})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled")


def folder() -> Path:
    """``$LOWKEY_CONFIG``, else ``lowkey`` in the user's configuration."""
    if given := os.environ.get("LOWKEY_CONFIG"):
        return Path(given)
    import platformdirs

    return Path(platformdirs.user_config_path("lowkey"))


def find(variable: str) -> Key:
    """The key called by its environment variable. Raises EngineError: no-key, open-key-file, bad-key."""
    for look in (_environment, _keyring, _file):
        if key := look(variable):
            return key
    places = f"set {variable} in the environment, or: keyring set {SERVICE} {variable}, or a line {variable} = \"...\" in {folder() / FILE}"
    raise EngineError("no-key", f"no {variable} was found: {places} (chmod 600)")


def _checked(secret: str, found: str) -> Key | None:
    secret = secret.strip()
    if not secret:
        return None
    if not (secret.isascii() and secret.isprintable() and " " not in secret and 8 <= len(secret) <= 512):
        raise EngineError("bad-key", f"the key from {found} is no key: it has spaces, other signs than ASCII, or an odd length")
    return Key(secret, found)


def _environment(variable: str) -> Key | None:
    return _checked(os.environ.get(variable, ""), f"the environment ({variable})")


def _keyring(variable: str) -> Key | None:
    if find_spec("keyring") is None:
        return None
    import keyring

    # No keyring on a headless machine, a locked one, a broken backend: the file is next, whatever the reason.
    kept = None
    with suppress(Exception):
        kept = keyring.get_password(SERVICE, variable)
    return _checked(kept or "", "the keyring")


def _file(variable: str) -> Key | None:
    path = folder() / FILE
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(file.fileno())
        if sys.platform != "win32" and (about.st_mode & 0o077 or about.st_uid != os.getuid()):
            mode = f"{stat.S_IMODE(about.st_mode):04o}"
            raise EngineError("open-key-file", f"{path} can be read by others (mode {mode}), so its keys are not used: chmod 600 it")
        data = file.read(_LARGEST_BYTES)
    try:
        said = tomllib.loads(data.decode())
    except ValueError:
        # `from None` would keep the file's text in the context, and the text is the secret.
        said = None
    if said is None:
        raise EngineError("bad-key", f"{path} is not TOML; it has lines such as {variable} = \"...\"")
    value = said.get(variable, "")
    if not isinstance(value, str):
        raise EngineError("bad-key", f"{variable} in {path} is not a text in quotes")
    return _checked(value, f"the file {path.name}")

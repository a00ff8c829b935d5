"""Where weights lie: a folder, or the hub client's cache; and `pull`, the one thing here that asks the network."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lowkey.engines.diffusers import models
from lowkey.engines.diffusers.models import Weights
from lowkey.errors import EngineError

DEFAULT = "black-forest-labs/FLUX.2-klein-4B"
PARTS = ("*/*", "*.json", "README.md", "LICENSE*")
"""What is pulled: the parts in their folders. The single-file checkpoints beside them hold the same weights once more."""
NEEDED = ("torch", "diffusers", "transformers", "accelerate", "huggingface_hub", "safetensors")


def lacking() -> tuple[str, ...]:
    """The packages of the extra that are not installed; nothing is imported."""
    return tuple(name for name in NEEDED if find_spec(name) is None)


def must_have() -> None:
    if lacks := lacking():
        raise EngineError("engine-not-installed", f"the engine diffusers lacks {', '.join(lacks)}; pip install 'lowkey[flux]' brings them")


def find(model: str, revision: str = "") -> Weights:
    """The weights of a model that is here: a folder, or an id with what was pulled. Raises EngineError.

    `no-weights`, `bad-weights`, `unknown-model`, `bad-option` or `engine-not-installed`.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        if revision:
            raise EngineError("bad-option", "diffusers: a folder has no revision; it is told by what lies in it")
        return models.read(folder, folder.resolve().name)
    if model.count("/") != 1 or model.startswith((".", "/", "~")):
        raise EngineError("no-weights", f"there is no folder {model[:200]}; name one, or a model such as {DEFAULT}")
    must_have()
    found = pulled(model, revision)
    if found is None:
        named = f" at revision {revision}" if revision else ""
        raise EngineError("no-weights", f"{model}{named} is not on this machine; nothing is fetched unasked: lowkey engines pull {model}")
    return models.read(found, model, found.name)


def pulled(model: str, revision: str = "") -> Path | None:
    """The folder of a model in the hub client's cache, whole, or None; no network."""
    if find_spec("huggingface_hub") is None:
        return None
    with offline():
        client: Any = import_module("huggingface_hub")
        try:
            folder = Path(client.snapshot_download(model, revision=revision or None, local_files_only=True, allow_patterns=list(PARTS)))
        except Exception:  # not there, or a name that no model can have: both mean that nothing is here
            return None
    return folder if any((folder / name).is_file() for name in models.INDEXES) else None


@contextmanager
def offline() -> Iterator[None]:
    """The hub client asks nothing of the network inside; what the caller had set stands again afterwards."""
    fresh = "huggingface_hub.constants" not in sys.modules
    before = {name: os.environ.get(name) for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY")}
    os.environ.update(dict.fromkeys(before, "1"))
    # The client reads the variable once, when it is imported, which may have happened long ago.
    constants: Any = import_module("huggingface_hub.constants")
    held = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        # Imported only now, it read the variable set here; then the caller's own word counts.
        asked = (before["HF_HUB_OFFLINE"] or "").upper() in ("1", "TRUE", "YES", "ON")
        constants.HF_HUB_OFFLINE = asked if fresh else held
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def pull(model: str, revision: str = "") -> Weights:
    """Fetch a model with the hub's own client: a bar per file, resumed where it broke off, checked by its sums afterwards.

    Raises EngineError `gated-model`, `unknown-model`, `unreachable`, `disk-too-small`, `bad-weights`.
    """
    must_have()
    client: Any = import_module("huggingface_hub")
    errors: Any = import_module("huggingface_hub.errors")
    again = f"lowkey engines pull {model} goes on where it stopped"
    try:
        folder = Path(client.snapshot_download(model, revision=revision or None, allow_patterns=list(PARTS)))
        # While it fetches, the client looks at sizes alone.
        checked = client.HfApi().verify_repo_checksums(model, revision=folder.name)
    except errors.GatedRepoError:
        said = f"the maker of {model} wants its terms accepted first: do so on the model's page and log in with: hf auth login"
        raise EngineError("gated-model", said) from None
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.HFValidationError):
        named = f" at revision {revision}" if revision else ""
        raise EngineError("unknown-model", f"the hub has no model {model[:100]}{named}, or not for you; check the name") from None
    except OSError as error:
        if error.errno == 28:
            raise EngineError("disk-too-small", f"the disk is full; make room (docs/engines.md has the sizes), then {again}") from None
        raise EngineError("unreachable", f"the hub was not reached or broke off ({type(error).__name__}); {again}") from None
    except Exception as error:  # the client's transport has error classes of its own, and they change between releases
        raise EngineError("unreachable", f"the hub was not reached or broke off ({type(error).__name__}); {again}") from None
    if damaged := [str(one["path"]) for one in checked.mismatches]:
        for name in damaged:
            (folder / name).resolve().unlink(missing_ok=True)
            (folder / name).unlink(missing_ok=True)
        raise EngineError("bad-weights", f"{', '.join(damaged)[:200]} came otherwise than the hub has it and was removed; {again}")
    return models.read(folder, model, folder.name)

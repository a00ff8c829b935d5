"""A session: a photo, a look and seeds in; frames, a contact sheet and a record out."""

from __future__ import annotations

from lowkey.session.shooting import Shoot, Taken, shoot

__all__ = ["Shoot", "Taken", "shoot"]

"""Every error lowkey raises on purpose, drawn as a tree.

    LowkeyError
    ├── LookError      an unknown word, a contradiction, a look file that cannot be read
    ├── PhotoError     unreadable, too large, no face, several faces, face too small
    ├── EngineError    what the engine cannot do
    ├── ConsentError   a photo may not go where it was asked to go
    ├── PrintError     a picture that paper or a shop would refuse
    ├── StoreError     disk full, folder read-only, record damaged
    └── Bug            ours, not yours

A message says what happened, what was seen and what to do, and ends in a stable code in brackets:
``no face found in cat.png: ... [no-face]``. Codes are listed in docs/errors.md; a test keeps that list whole.
"""

from __future__ import annotations

from typing import ClassVar


class LowkeyError(Exception):
    """Base of the tree. `code` is stable and documented; `exit_code` is what the command line returns."""

    exit_code: ClassVar[int] = 70

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} [{code}]")
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type[LowkeyError], tuple[str, str]]:
        # Errors cross the process boundary of the photo decoder, so they must pickle with both parts.
        return type(self), (self.code, self.message)


class LookError(LowkeyError):
    """A look that cannot be understood or contradicts itself."""

    exit_code = 2


class PhotoError(LowkeyError):
    """A photo that cannot be read, or that cannot be made into a plate."""

    exit_code = 2


class EngineError(LowkeyError):
    """Something asked of an engine that it cannot do."""

    exit_code = 3


class ConsentError(LowkeyError):
    """A person's photo may not go where it was asked to go."""

    exit_code = 2


class PrintError(LowkeyError):
    """A picture that paper, a lab or a shop would refuse."""

    exit_code = 3


class StoreError(LowkeyError):
    """The disk or the record said no: full, read-only, damaged."""

    exit_code = 4


class Bug(LowkeyError):
    """A state that cannot be: ours to mend."""

    exit_code = 70

"""The command line: thin shells round the rooms, loaded when used."""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import NoReturn

from lowkey.errors import LowkeyError


def main() -> NoReturn:
    """The `lowkey` command. Exit codes: docs/errors.md."""
    import typer
    from typer.main import get_command

    from lowkey.cli.commands import app

    wants_json = "--json" in sys.argv[1:]
    try:
        # Not `app()`: that would take Ctrl-C and a closed pipe into its own hands.
        command = get_command(app)
        with command.make_context("lowkey", sys.argv[1:]) as context:
            command.invoke(context)
        sys.stdout.flush()
        _leave(0)
    except typer.Exit as left:
        _leave(left.exit_code)
    except LowkeyError as error:
        _say(error.code, error.message, wants_json)
        _leave(error.exit_code)
    except KeyboardInterrupt:
        _say("interrupted", "stopped; the record beside the frames says what is done", wants_json)
        _leave(130)
    except BrokenPipeError:
        # Whoever read us has stopped (`lowkey looks | head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _leave(0)
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith("lowkey"):
            _bug(error, wants_json)
        _say("missing-package", f"{error.name} is not installed; `lowkey doctor` prints the command that mends it", wants_json)
        _leave(3)
    except MemoryError:
        _say("out-of-memory", "not enough memory for this size; try a smaller --size, or close other programs", wants_json)
        _leave(3)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # a usage error of the option parser
            _usage(error, wants_json)
        _bug(error, wants_json)


def _say(code: str, message: str, wants_json: bool) -> None:
    if wants_json:
        print(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False))
    else:
        print(f"{message} [{code}]", file=sys.stderr)


def _usage(error: Exception, wants_json: bool) -> NoReturn:
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", "lowkey")
    message = str(getattr(error, "format_message")()).strip()  # noqa: B009 the parser's own class has no public name
    if context is not None and message.startswith("Usage:"):  # called without anything: the help is the answer
        print(message)
    else:
        _say("usage", f"{message.rstrip('.')}. `{command} --help` shows how it is used", wants_json)
    _leave(2)


def _bug(error: Exception, wants_json: bool) -> NoReturn:
    if os.environ.get("LOWKEY_TRACEBACK"):
        traceback.print_exc()
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{where.name}, line {where.lineno}"
    what = f"{type(error).__name__}: {error}"[:300]
    report = "Report it with this line, the output of `lowkey doctor`, and what LOWKEY_TRACEBACK=1 prints when you run it again"
    _say("bug", f"this is a fault of lowkey, not yours: {what} (in {place}). {report}", wants_json)
    _leave(70)


def _leave(code: int) -> NoReturn:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(code)

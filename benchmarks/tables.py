"""Runs the parts of a benchmark and puts their tables on the page."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

Part = Callable[[Path], str]


def run(parts: Mapping[str, Part], doc: str) -> int:
    """The command line of a benchmark: which parts, where the reference data lies, and the page whose markers hold the tables."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*parts, []])
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("LOWKEY_SHARED", "../shared")))
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    data = args.shared / "data"
    if not data.is_dir():
        print(f"{data} is not there: set LOWKEY_SHARED or --shared", file=sys.stderr)
        return 2
    for name in args.parts or parts:
        start = time.perf_counter()
        table = parts[name](data)
        print(f"\n## {name} ({time.perf_counter() - start:.0f} s)\n\n{table}", flush=True)
        if args.write:
            page = args.write.read_text()
            mark = f"<!-- {name} -->"
            if mark not in page:
                print(f"{args.write} has no place for {name}: {mark}", file=sys.stderr)
                return 1
            page = re.sub(f"{mark}.*?{mark}", lambda _, m=mark, t=table: f"{m}\n{t}\n{m}", page, flags=re.DOTALL)
            args.write.write_text(page)
    return 0

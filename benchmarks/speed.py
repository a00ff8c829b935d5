"""Time and peak memory of scan, first frame and each further frame, warm, one portrait at a time.

    python benchmarks/speed.py [--size 1024x1280] [--frames 4] PHOTO...

Warm start: kernels are compiled and a small frame was made before the clock starts; the plate cache is off.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from pathlib import Path

from lowkey import photo, rig
from lowkey.darkroom import Enlarger
from lowkey.frame import Framing
from lowkey.look import Look
from lowkey.plate import scan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--size", default="1024x1280")
    parser.add_argument("--frames", type=int, default=4)
    args = parser.parse_args()
    w, h = (int(v) for v in args.size.split("x"))
    asked = rig.of(Look())
    Enlarger(scan(photo.read(args.photos[0])), Framing(), (256, 320)).develop(asked, 99)
    print(f"{'photo':24s}{'scan s':>9s}{'first s':>9s}{'scan+first':>12s}{'further s':>11s}")
    for path in args.photos:
        t0 = time.perf_counter()
        plate = scan(photo.read(path))
        t1 = time.perf_counter()
        enlarger = Enlarger(plate, Framing(), (w, h))
        enlarger.develop(asked, 1)
        t2 = time.perf_counter()
        further = []
        for seed in range(2, 2 + args.frames):
            start = time.perf_counter()
            enlarger.develop(asked, seed)
            further.append(time.perf_counter() - start)
        print(f"{path.stem[:22]:24s}{t1 - t0:9.2f}{t2 - t1:9.2f}{t2 - t0:12.2f}{statistics.median(further):11.2f}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform != "darwin" else 1024**3)
    print(f"peak memory {peak:.2f} GB")


if __name__ == "__main__":
    main()

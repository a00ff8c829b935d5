"""The door to MediaPipe: three small readers, opened quietly, closed when done.

MediaPipe is imported late (it pulls in matplotlib) and writes to the process's standard error from C++ while a graph is
open; that file descriptor is pointed at nothing meanwhile. No reader opens a socket.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from lowkey.pixels import F32, U8

_STDERR_LOCK = threading.RLock()


@dataclass(frozen=True)
class Sighting:
    """One face as the detector saw it: x0, y0, x1, y1 in pixels of the picture given, and its score 0..1."""

    box: tuple[float, float, float, float]
    score: float
    keypoints: F32
    """f32[6, 2]: eye, eye, nose tip, mouth, ear, ear (viewer's left first)."""


@contextmanager
def quiet() -> Iterator[None]:
    """Point standard error at nothing while C++ speaks; Python's own messages before and after are kept."""
    with _STDERR_LOCK:
        try:
            sys.stderr.flush()
            kept = os.dup(2)
        except (OSError, ValueError, AttributeError):  # no standard error at all
            yield
            return
        nothing = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nothing, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nothing)


def _solutions() -> Any:
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet():
        import mediapipe.python.solutions as solutions
    return solutions


@contextmanager
def _graph(make: Callable[[Any], Any]) -> Iterator[Any]:
    solutions = _solutions()
    with quiet():  # its threads go on speaking after the graph is made, so all the way to its close
        graph = make(solutions)
        try:
            yield graph
        finally:
            graph.close()


def _ready(picture: U8) -> U8:
    return np.ascontiguousarray(picture)


@contextmanager
def face_detector(*, full_range: bool, least: float) -> Iterator[Callable[[U8], tuple[Sighting, ...]]]:
    """BlazeFace (Bazarevsky et al. 2019): a function from u8[h, w, 3] sRGB to the faces seen with a score of `least` or more.

    full_range is the model for faces up to five metres away (it counts well), otherwise the selfie model (it is choosier).
    """

    def look(picture: U8) -> tuple[Sighting, ...]:
        h, w = picture.shape[:2]
        found = graph.process(_ready(picture)).detections or []
        seen = []
        for d in found:
            b = d.location_data.relative_bounding_box
            k = np.array([(p.x * w, p.y * h) for p in d.location_data.relative_keypoints], np.float32)
            seen.append(Sighting((b.xmin * w, b.ymin * h, (b.xmin + b.width) * w, (b.ymin + b.height) * h), float(d.score[0]), k))
        return tuple(seen)

    with _graph(lambda s: s.face_detection.FaceDetection(model_selection=int(full_range), min_detection_confidence=least)) as graph:
        yield look


@contextmanager
def face_mesh() -> Iterator[Callable[[U8], F32 | None]]:
    """Attention Mesh (Grishchenko et al. 2020): from u8[h, w, 3] to f32[478, 3], x right, y down, z toward the camera, in pixels."""

    def read(picture: U8) -> F32 | None:
        h, w = picture.shape[:2]
        found = graph.process(_ready(picture)).multi_face_landmarks
        if not found:
            return None
        # MediaPipe's z shares x's scale and grows away from the camera.
        return np.array([(p.x * w - 0.5, p.y * h - 0.5, -p.z * w) for p in found[0].landmark], np.float32)

    # Low bars: whether it is a face is decided by how still the mesh lies, not by the network's own word.
    bars = {"min_detection_confidence": 0.2, "min_tracking_confidence": 0.1}
    with _graph(lambda s: s.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True, **bars)) as graph:
        yield read


@contextmanager
def person_segmenter() -> Iterator[Callable[[U8], F32]]:
    """Selfie segmentation, general model (256x256 inside): from u8[h, w, 3] to f32[h, w], how sure a pixel is a person."""

    def read(picture: U8) -> F32:
        return np.array(graph.process(_ready(picture)).segmentation_mask, np.float32)

    with _graph(lambda s: s.selfie_segmentation.SelfieSegmentation(model_selection=0)) as graph:
        yield read

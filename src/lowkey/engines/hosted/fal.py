"""fal: a queue with an address each for the state, the answer and the end of a request."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from lowkey.engines.contract import Job
from lowkey.engines.hosted.answers import Again, State, asked, moderated
from lowkey.engines.hosted.engine import Hosted
from lowkey.engines.hosted.vendor import Ask
from lowkey.engines.wire import Answer, Wire, refusal

MEDIA_S = 86_400
"""How long fal keeps the pictures it makes."""


class Fal(Hosted):
    """``--engine fal``."""

    name = "fal"
    header, prefix = "Authorization", "Key "
    stays = "inside the request, as long as your account at fal keeps requests; what was made of it, a day"

    def headers(self) -> dict[str, str]:
        # Pictures lie at public addresses there: a day is enough to have them fetched, even after a crash.
        return {"X-Fal-Object-Lifecycle-Preference": json.dumps({"expiration_duration_seconds": MEDIA_S})}

    def body(self, ask: Ask, pictures: tuple[str, ...]) -> dict[str, Any]:
        said: dict[str, Any] = {"prompt": ask.words.text, "seed": ask.seed, "output_format": "png", **ask.model.body}
        if ask.safety is not None:
            said["safety_tolerance"] = str(ask.safety)
        if ask.model.exact:
            said["image_size"] = {"width": ask.asked_px[0], "height": ask.asked_px[1]}
        else:
            said["aspect_ratio"] = ask.aspect
        return said | ({"image_urls": list(pictures)} if ask.model.references > 1 else {"image_url": pictures[0]})

    def accepted(self, answer: Answer) -> tuple[str, str, Decimal | None]:
        # The address of a request drops the end of the model's path: only the one that is named is right.
        said = answer.mapping
        return str(said.get("request_id") or ""), str(said.get("response_url") or ""), None

    def state(self, line: Wire, job: Job) -> State:
        there = self._request(job)
        answer = asked(line, f"{there}/status")
        if refused := refusal(line, answer):
            raise refused
        if str(answer.mapping.get("status", "")).upper() != "COMPLETED":
            return State("waiting")
        answer = asked(line, there)
        said = answer.mapping
        if answer.status >= 400:
            why = line.said(answer)
            # The error's own type says it best, and is not in its words.
            detail = said.get("detail")
            kinds = [str(one.get("type", "")) for one in detail if isinstance(one, dict)] if isinstance(detail, list) else []
            return State("refused" if moderated(" ".join([why, *kinds])) else "failed", why)
        images = said.get("images")
        first = images[0] if isinstance(images, list) and images and isinstance(images[0], dict) else {}
        flags = said.get("has_nsfw_concepts")
        if isinstance(flags, list) and any(flag is True for flag in flags):
            # What it hands out then is a black picture.
            return State("refused", "flagged by its safety checker")
        if not isinstance(first.get("url"), str):
            return State("failed", "it ended without a picture")
        notes = {"seed_used": said["seed"]} if isinstance(said.get("seed"), int) else {}
        return State("done", url=first["url"], notes=notes)

    def stop(self, line: Wire, job: Job) -> bool:
        # A request that waits is removed; one that runs is only asked to stop, and may finish and cost.
        queued = False
        try:
            queued = str(asked(line, f"{self._request(job)}/status").mapping.get("status", "")).upper() == "IN_QUEUE"
        except Again:
            return False
        answer = line.send("PUT", f"{self._request(job)}/cancel")
        return queued and answer.status < 300

    def _request(self, job: Job) -> str:
        return (job.url or f"{self.base}{'/'.join(self.model.path.split('/')[:3])}/requests/{job.id}").rstrip("/")

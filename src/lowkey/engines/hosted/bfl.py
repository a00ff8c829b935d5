"""Black Forest Labs: pictures as base64, a polling address that the service names, results that run out in minutes."""

from __future__ import annotations

import base64
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from lowkey.engines.contract import Job
from lowkey.engines.hosted.answers import Again, State, asked, dollars
from lowkey.engines.hosted.engine import Hosted
from lowkey.engines.hosted.vendor import Ask
from lowkey.engines.wire import Answer, Wire, refusal

CREDIT_USD = "0.01"
_DECLINED = ("request moderated", "content moderated")
_FAILED = ("error", "failed")


class Bfl(Hosted):
    """``--engine bfl``."""

    name = "bfl"
    header = "x-key"

    def shown(self, line: Wire, pictures: tuple[bytes, ...], keep: list[str]) -> tuple[str, ...]:
        return tuple(base64.b64encode(one).decode() for one in pictures)

    def body(self, ask: Ask, pictures: tuple[str, ...]) -> dict[str, Any]:
        # PNG: near-black gradients band in JPEG, which is what comes unasked.
        said: dict[str, Any] = {"prompt": ask.words.text, "seed": ask.seed, "output_format": "png", **ask.model.body}
        if ask.safety is not None:
            said["safety_tolerance"] = ask.safety
        said |= {"width": ask.asked_px[0], "height": ask.asked_px[1]} if ask.model.exact else {"aspect_ratio": ask.aspect}
        if several := ask.model.row.get("pictures"):
            return said | {several: list(pictures)}
        return said | {f"input_image_{number}" if number > 1 else "input_image": one for number, one in enumerate(pictures, 1)}

    def accepted(self, answer: Answer) -> tuple[str, str, Decimal | None]:
        said = answer.mapping
        return str(said.get("id") or ""), str(said.get("polling_url") or ""), dollars(said.get("cost"), CREDIT_USD)

    def state(self, line: Wire, job: Job) -> State:
        answer = asked(line, job.url or f"{self.base}/v1/get_result?id={quote(job.id)}")
        said = answer.mapping
        status = str(said.get("status", "")).strip().casefold()
        result = said.get("result") if isinstance(said.get("result"), dict) else {}
        assert isinstance(result, dict)
        if status == "task not found":
            raise Again(lost=True)
        if refused := refusal(line, answer):
            raise refused
        if status in _DECLINED:
            return State("refused", f"{said.get('status')} {_reasons(said.get('details'))}".strip())
        if status in _FAILED:
            return State("failed", str(said.get("details") or result.get("error") or said.get("status")))
        if status == "ready" and isinstance(result.get("sample"), str):
            return State("done", url=result["sample"], cost_usd=dollars(said.get("cost"), CREDIT_USD), notes=_told(result, line))
        # Pending, Reasoning, Generating, and every word that is not known yet: it is under way.
        share = said.get("progress")
        return State("waiting", share=float(share) if isinstance(share, int | float) and 0 <= share <= 1 else None)


def _reasons(details: Any) -> str:
    reasons = details.get("Moderation Reasons") if isinstance(details, dict) else None
    return ", ".join(str(one) for one in reasons[:5]) if isinstance(reasons, list) else ""


def _told(result: dict[str, Any], line: Wire) -> dict[str, Any]:
    """What the service says it really used."""
    notes: dict[str, Any] = {}
    if isinstance(result.get("prompt"), str):
        notes["prompt_used"] = line.line(result["prompt"], 15_000)
    if isinstance(result.get("seed"), int):
        notes["seed_used"] = result["seed"]
    return notes

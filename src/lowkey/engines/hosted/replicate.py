"""Replicate: the photo is laid into its files and removed afterwards; a prediction is asked about until it has ended."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import quote

from lowkey.engines import wire
from lowkey.engines.contract import Job
from lowkey.engines.hosted.answers import State, asked, moderated
from lowkey.engines.hosted.engine import Hosted
from lowkey.engines.hosted.vendor import Ask
from lowkey.engines.wire import Answer, Wire, refusal
from lowkey.errors import EngineError


class Replicate(Hosted):
    """``--engine replicate``."""

    name = "replicate"
    header, prefix = "Authorization", "Bearer "
    stays = "removed from its files; inputs and outputs of a prediction are kept for an hour"

    def shown(self, line: Wire, pictures: tuple[bytes, ...], keep: list[str]) -> tuple[str, ...]:
        addresses = []
        for number, picture in enumerate(pictures, 1):
            answer = line.send("POST", f"{self.base}/v1/files", files={"content": (f"reference-{number}.png", picture, "image/png")})
            if refused := refusal(line, answer):
                raise refused
            said = answer.mapping
            urls = said.get("urls")
            address = urls.get("get") if isinstance(urls, dict) else None
            if not said.get("id") or not isinstance(address, str):
                raise EngineError("odd-answer", f"{self.title} took a picture and answered without its address: {line.said(answer)}")
            keep.append(str(said["id"]))
            addresses.append(address)
        return tuple(addresses)

    def body(self, ask: Ask, pictures: tuple[str, ...]) -> dict[str, Any]:
        said: dict[str, Any] = {"prompt": ask.words.text, "seed": ask.seed, "output_format": "png", **ask.model.body}
        if ask.safety is not None:
            said["safety_tolerance"] = ask.safety
        if ask.model.exact:
            said |= {"aspect_ratio": "custom", "width": ask.asked_px[0], "height": ask.asked_px[1]}
        else:
            said["aspect_ratio"] = ask.aspect
        if ask.model.references > 1:
            key = "images" if "klein" in ask.model.name else "input_images"
            return {"input": said | {key: list(pictures)}}
        return {"input": said | {"input_image": pictures[0]}}

    def accepted(self, answer: Answer) -> tuple[str, str, Decimal | None]:
        said = answer.mapping
        urls = said.get("urls")
        return str(said.get("id") or ""), str(urls.get("get") or "") if isinstance(urls, dict) else "", None

    def state(self, line: Wire, job: Job) -> State:
        answer = asked(line, job.url or f"{self.base}/v1/predictions/{quote(job.id)}")
        if refused := refusal(line, answer):
            raise refused
        said = answer.mapping
        status, output = said.get("status"), said.get("output")
        if status == "succeeded":
            url = output[0] if isinstance(output, list) and output else output
            return State("done", url=url) if isinstance(url, str) else State("failed", "it ended without a picture")
        if status in ("failed", "canceled", "aborted"):
            why = str(said.get("error") or status)
            return State("refused" if moderated(why) else "failed", why)
        return State("waiting")

    def stop(self, line: Wire, job: Job) -> bool:
        answer = line.send("POST", f"{self.base}/v1/predictions/{quote(job.id)}/cancel")
        return answer.status < 300 and answer.mapping.get("status") in ("canceled", "aborted")

    def remove(self, line: Wire, kept: tuple[str, ...]) -> bool:
        gone = True
        for one in kept:
            try:
                answer = line.send("DELETE", f"{self.base}/v1/files/{quote(one)}", within_s=wire.READ_S)
                gone = gone and (answer.status < 300 or answer.status == 404)
            except EngineError:
                gone = False
        return gone

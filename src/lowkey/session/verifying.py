"""Is everything of a session there, as it was written? Told by hashes, so a file that is there and is another one is found too."""

from __future__ import annotations

from dataclasses import dataclass

from lowkey.session import files
from lowkey.session.record import NAME as RECORD
from lowkey.session.store import Store


@dataclass(frozen=True)
class Finding:
    """One file that is not as it was."""

    file: str
    what: str
    """"missing", "changed", "swapped" (it is another file of this session) or "unfinished" (asked for and not made)."""
    more: str = ""


def expected(store: Store) -> dict[str, str]:
    """Every file that the session wrote, with its hash: frames, takes, sheets, selects."""
    found = {row.file: row.sha256 for row in store.frames() if row.sha256}
    for row in store.frames():
        found |= {take.file: take.sha256 for take in store.takes(row.id)}
    return {**found, **{name: sha256 for name, (_, sha256) in store.files().items()}}


def verify(store: Store) -> tuple[list[Finding], int]:
    """What is not as it was, and how many files are."""
    asked = expected(store)
    by_hash: dict[str, list[str]] = {}
    for name, sha256 in asked.items():
        by_hash.setdefault(sha256, []).append(name)
    findings, good = [], 0
    for name, sha256 in sorted(asked.items()):
        file = files.inside(store.folder, name)
        if not file.is_file():
            findings.append(Finding(name, "missing"))
            continue
        try:
            seen = files.sha256_of(file)
        except OSError as error:
            findings.append(Finding(name, "changed", f"it cannot be read: {error.strerror}"))
            continue
        if seen == sha256:
            good += 1
        elif seen in by_hash:
            findings.append(Finding(name, "swapped", f"it holds {by_hash[seen][0]}"))
        else:
            findings.append(Finding(name, "changed"))
    findings += [Finding(row.file, "unfinished", row.problem or "") for row in store.frames() if not row.sha256]
    if not (store.folder / RECORD).is_file():
        findings.append(Finding(RECORD, "missing", "it is written again with the next change"))
    return findings, good

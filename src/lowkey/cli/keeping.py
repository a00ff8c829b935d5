"""lowkey cache: what is kept between runs."""

from __future__ import annotations

import json

from lowkey.session import plates


def clear(as_json: bool) -> None:
    removed, freed = plates.clear()
    if as_json:
        print(json.dumps({"removed": removed, "bytes": freed}))
    else:
        print(f"{removed} plate{'' if removed == 1 else 's'} removed, {freed / 1e6:.0f} MB freed: {plates.folder()}")

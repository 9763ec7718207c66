# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The sources alone in one event loop: `alone.py ENTRY USERS ROUNDS` prints the longest stall, and how many have a key.

ENTRY is an entry of user_environment_sources.json; the best of the rounds counts, because others use the machine too.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time

from hub_extensions.user_environment_sources.azure_token import import_libraries
from hub_extensions.user_environment_sources.gather import Gatherer

from benchmarks.event_loop.probe import Probe


async def measure(entry: dict[str, object], users: list[str]) -> dict[str, float]:
    """One round: all users at once, as after a break."""
    gatherer, probe = Gatherer([entry]), Probe()
    gc.collect()
    await asyncio.sleep(0.1)
    begin = time.monotonic()
    found = await asyncio.gather(*(gatherer.gather(user) for user in users))
    end = time.monotonic()
    await gatherer.close()
    keys = {user: result.values.get("PC_SDK_SUBSCRIPTION_KEY", "") for user, result in zip(users, found, strict=True)}
    right = [user for number, user in enumerate(users) if keys[user] == f"primary-{number}-5f0c"]
    return {"stall": probe.longest(begin, end), "seconds": end - begin, "keys": len(right)}


def main() -> None:
    entry, count, rounds = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    # As jupyterhub_config.d does before the hub serves.
    import_libraries()
    users = [f"user-{number}@example.org" for number in range(count)]
    found = [asyncio.run(measure(entry, users)) for _ in range(rounds)]
    best = min(found, key=lambda one: one["stall"])
    print(json.dumps({**best, "keys": min(one["keys"] for one in found), "stalls": [one["stall"] for one in found]}))


if __name__ == "__main__":
    main()

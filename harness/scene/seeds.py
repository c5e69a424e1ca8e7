"""Seeds of a run: one for all its random draws, drawn anew unless asked for, and recorded.

Each part draws from a seed of its own, derived from that one by name, so that what one part draws
shifts no other. Seeds that a profile sets are used as they stand.
"""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from recording.profile import Profile

SEED_BITS = 32


def drawn(asked: int | None) -> int:
    """The seed asked for, else one that no other run has."""
    return secrets.randbits(SEED_BITS) if asked is None else asked


def derived(seed: int, *names: str) -> int:
    """The seed of the part with these names."""
    digest = hashlib.sha256("/".join((str(seed), *names)).encode()).digest()
    return int.from_bytes(digest[: SEED_BITS // 8])


def seeded_load(profile: Profile, seed: int) -> Profile:
    """The profile with a seed for the load's draws: journeys, pauses, arrivals."""
    if profile.seed is not None:
        return profile
    return profile.model_copy(update={"seed": derived(seed, "load")})


def seeded_services(
    settings: Mapping[str, Mapping[str, Any]], seed: int, of: str = "services"
) -> dict[str, dict[str, Any]]:
    """The services' settings with a seed for each; ``of`` tells one set of them from another."""
    return {name: {"seed": derived(seed, of, name)} | dict(own) for name, own in settings.items()}

"""The cart's 48 hours of profile `bf2025` in virtual time: its real cache, guard and memory.

    python -m benchmarks.studies.cart_leak [--size 0.1] [--json]

Nothing but the clock is simulated: sessions are opened as 12,000 users leave them, and what grows
and falls is the resident memory of this process, printed beside the seed's. `--size` is the share
of the sessions that is played, and what is printed is divided by it: 1 takes 2 GB and minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from random import Random

import numpy as np

from analysis.words.units import BYTES_PER_MB
from harness.system.paths import PROJECT
from mock_services.cart.memory_guard import MemoryGuard
from mock_services.cart.session_cache import SessionCache
from mock_services.cart.settings import CartSettings
from mock_services.kit import money
from mock_services.kit.events import EventLog
from mock_services.kit.runtime import calm_garbage_collector, rss_bytes
from recording.profile import Profile
from recording.profile_file import load_profile

HOUR_S = 3600.0
STEP_S = 60.0
PROCESS_BYTES = 66 * BYTES_PER_MB
"""A mock's own, before its baseline and its first session."""
PRODUCTS = 2
"""In the cart that a session ends with: every second one begins a new cart with a checkout."""
SEED_MB = {0: 512, 6: 720, 12: 980, 18: 1229, 24: 1434, 30: 1638, 36: 1843, 42: 1126, 48: 1536}


class Hours:
    """The profile's cart, filled by its users, on a clock of its own."""

    def __init__(self, profile: Profile, size: float) -> None:
        self._settings = CartSettings.model_validate({"seed": 1, **profile.services["cart"]})
        self._phases = profile.load.phases
        self._per_user_s = 2.0 / (profile.journey.session.min + profile.journey.session.max)
        self._size = size
        self._now_s = self._began_s = time.monotonic()
        self._cache = SessionCache(
            self._settings.ttl_s, self._settings.session_bytes, 1, lambda: self._now_s
        )
        self._cache.leaks.share = self._settings.leak_share
        self._guard = MemoryGuard(
            self._cache, EventLog("cart-service"), lambda: self._settings, self.rss
        )
        self._random = Random(1)
        self._opened = 0
        self._before_bytes = rss_bytes()

    def rss(self) -> int:
        """Resident memory at full size, bytes."""
        grown_bytes = (rss_bytes() - self._before_bytes) / self._size
        return round(grown_bytes + PROCESS_BYTES + self._settings.baseline_bytes)

    def play(self) -> Iterator[tuple[float, float]]:
        """Time in hours and resident memory in MB, each minute."""
        ends_s = np.cumsum([0.0, *(phase.duration for phase in self._phases)])
        users = [0.0, *(float(phase.users or 0) for phase in self._phases)]
        due = 0.0
        for passed_s in np.arange(0.0, ends_s[-1] + STEP_S, STEP_S):
            self._now_s = self._began_s + float(passed_s)
            due += (
                float(np.interp(passed_s, ends_s, users)) * self._per_user_s * STEP_S * self._size
            )
            while self._opened < due:
                self._open()
            self._guard.look(self._now_s)
            yield float(passed_s) / HOUR_S, self.rss() / BYTES_PER_MB

    def _open(self) -> None:
        user, number = self._opened % 12_000, self._opened // 12_000
        self._opened += 1
        session = self._cache.open(
            f"cart-lt-32b7d98b-00-{user:05d}-{number}", f"lt-user-{user:05d}"
        )
        for _ in range(PRODUCTS):
            session.add(money.sku_of(self._random.randint(1, money.PRODUCTS)), 1)


def main() -> None:
    """Play, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=float, default=0.1, help="share of the sessions [0.1]")
    parser.add_argument("--json", action="store_true", help="print hours and MB as JSON")
    options = parser.parse_args()
    hours = Hours(load_profile(PROJECT / "profiles" / "bf2025.toml"), options.size)
    calm_garbage_collector()
    curve = list(hours.play())
    if options.json:
        print(json.dumps({"hours": [h for h, _ in curve], "mb": [mb for _, mb in curve]}))
        return
    played = dict(curve)
    print("   T+  played MB  seed MB")
    for hour, mb in SEED_MB.items():
        print(f"{hour:>3} h {played[float(hour)]:>10.0f} {mb:>8}")
    fall = min(range(1, len(curve)), key=lambda at: curve[at][1] - curve[at - 1][1])
    (_, before), (at_h, after) = curve[fall - 1], curve[fall]
    print(
        f"collected at T+{at_h:.1f} h: {before:.0f} to {after:.0f} MB, {before - after:.0f} freed"
    )


if __name__ == "__main__":
    main()

"""How much room a recording takes, and what the mocks keep, against what is free."""

import shutil
from math import isnan
from pathlib import Path

from harness.generator.generator import expected_rate
from recording.profile import Profile

# Measured of `make loadtest` and of 48 hours at the seed's peak, with a third or more to spare.
_BYTES_PER_HISTOGRAM = 120
_BYTES_PER_REQUEST = 4.0
_MOST_PER_HISTOGRAM = 1500
"""However many requests there are: buckets are shared."""
_BYTES_PER_SAMPLE = 500
"""Of one service."""
_BYTES_PER_EXAMPLE = 450
_BYTES_PER_ORDER = 700
"""Of order and payment in the mocks' ledgers, and of what the client saw."""


def bytes_of_recording(profile: Profile) -> float:
    """What a run of the profile writes; at most, where nobody knows the rate of requests."""
    load, recording = profile.load, profile.recording
    intervals = load.duration_s / recording.interval
    histograms = 2 * max(1, len(profile.flow.steps)) + 2  # latency and distortion, of each outcome
    most, rate = _MOST_PER_HISTOGRAM * histograms, expected_rate(profile)
    some = most if isnan(rate) else _BYTES_PER_REQUEST * rate * recording.interval
    log = _BYTES_PER_HISTOGRAM * histograms + min(most, some)
    examples = _BYTES_PER_EXAMPLE * (recording.slowest_per_interval + 1)
    samples = load.duration_s / profile.sampling.interval * len(profile.flow.all)
    return intervals * (log + examples) + _BYTES_PER_SAMPLE * samples + _bytes_of_ledgers(profile)


def _bytes_of_ledgers(profile: Profile) -> float:
    """Orders that loadgate's own mocks keep beside the recording."""
    if not profile.starts_mocks:
        return 0.0
    share = profile.per_journey.get("confirm", 0.0) / profile.requests_per_journey
    return _BYTES_PER_ORDER * share * expected_rate(profile) * profile.load.duration_s


def free_bytes(folder: Path) -> float:
    """Of the disk that a folder lies on, or will."""
    there = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    return float(shutil.disk_usage(there).free)


def in_gb(taken: float) -> str:
    """For people; below 0.1 GB in MB."""
    return f"{taken / 2**30:.1f} GB" if taken >= 0.1 * 2**30 else f"{taken / 2**20:.0f} MB"

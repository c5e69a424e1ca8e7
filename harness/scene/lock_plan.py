"""A profile's lock pool as the plan of its fluid model."""

from collections.abc import Iterable
from typing import Any, cast

from analysis.tuning.lock_model import HOUR_S, STEP_S, LockSettings, Plan
from harness.generator.generator import expected_rate
from mock_services.table import SERVICES
from recording.profile import Profile

LOCKS, CHECKOUT = "inventory_lock", "checkout"
_STEPS_OF_TTL = 100
"""Of 48 hours those are as exact as any: a step is still a quarter of the way to confirm."""


def is_slow(profile: Profile, keys: Iterable[str]) -> bool:
    """Whether what they do takes longer than any slot: a sweeper has to free the locks."""
    told = _told(profile, LOCKS)
    swept = told.hold == "until_release" and told.expiry_per_s > 0
    return profile.starts_mocks and swept and any(k.startswith(f"{LOCKS}.") for k in keys)


def plan_of(profile: Profile) -> Plan:
    """Its own load, in its own time."""
    locks, checkout = _told(profile, LOCKS), _told(profile, CHECKOUT)
    funnel, load = profile.journey.funnel, profile.load
    share = funnel.detail * funnel.add_to_cart * funnel.start_checkout
    confirmed = funnel.charge * (1 - profile.journey.decline_share) * funnel.confirm
    attempts, per_user_s = checkout.lock_attempts, _journeys_per_user_s(profile)
    ttl_s = min(float(checkout.lock_ttl_s), locks.lock_ttl_s)
    return Plan(
        cast(LockSettings, locks),
        starts_per_s=lambda t_s: share * per_user_s * (load.intended(t_s) or 0.0),
        hours=load.duration_s / HOUR_S,
        abandoned=1 - confirmed,
        patience_s=attempts * checkout.lock_attempt_timeout_s
        + (attempts - 1) * checkout.lock_retry_backoff_s,
        ttl_s=ttl_s,
        to_confirm_s=2 * profile.journey.think.mean_s + _requests_s(profile),
        step_s=max(STEP_S, ttl_s / _STEPS_OF_TTL),
    )


def _journeys_per_user_s(profile: Profile) -> float:
    """Journeys that each user begins a second; of arrivals, which are journeys, 1."""
    if profile.load.model == "arrivals":
        return 1.0
    per_journey = profile.journey.funnel.requests_per_journey(profile.journey.decline_share)
    return expected_rate(profile) / per_journey / profile.load.peak_users


def _requests_s(profile: Profile) -> float:
    """From the lock to its release: the rest of start, charge, and confirm."""
    checkout, payment = _told(profile, CHECKOUT), _told(profile, "payment")
    own = sum(checkout.latency[name].mean_ms or 0.0 for name in ("start_checkout", "confirm"))
    charge = payment.latency["charge"].mean_ms or payment.latency["charge"].p50_ms
    total_ms = own * checkout.latency_scale + charge * payment.latency_scale
    return float(total_ms) / 1000


def changed(profile: Profile, name: str, value: float) -> LockSettings:
    """The lock service's settings with one of them replaced."""
    told = _told(profile, LOCKS)
    whole = isinstance(getattr(told, name), int)
    return cast(LockSettings, told.updated({name: round(value) if whole else float(value)}))


def _told(profile: Profile, key: str) -> Any:
    return SERVICES[key].settings.model_validate(dict(profile.services.get(key, {})))

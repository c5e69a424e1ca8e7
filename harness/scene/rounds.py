"""How long a gate is: ``--rounds`` and ``--time``, as overrides of its profile."""

from collections.abc import Iterator
from math import ceil

from analysis.statistics.looks import LookPlan
from recording.durations import format_duration, parse_duration_s
from recording.errors import ConfigError
from recording.phase_keys import last_measured
from recording.profile import MOST_ROUNDS, Gate, Profile

FEWEST = 16
"""No regression could FAIL in fewer (`Gate`)."""


def resized(profile: Profile, rounds: int | None, time: str | None) -> list[str]:
    """Overrides that give a gate's profile so many rounds, or as many as fit into a time.

    Looks keep their places (`LookPlan.scaled`); the last measured phase holds the slots. Empty
    where neither is asked for. Raises ConfigError naming the option and what is allowed.
    """
    gate = profile.gate
    if gate is None or (rounds is None and time is None):
        return []
    if rounds is not None and time is not None:
        raise ConfigError("--rounds and --time both say how long the gate is: give one of them")
    if rounds is None:
        rounds = _fitting(profile, gate, str(time))
    elif rounds % 2 or not FEWEST <= rounds <= MOST_ROUNDS:
        raise ConfigError(f"--rounds {rounds}: write an even number from {FEWEST} to {MOST_ROUNDS}")
    return list(_overrides(profile, gate, rounds))


def _overrides(profile: Profile, gate: Gate, rounds: int) -> Iterator[str]:
    looks = LookPlan(gate.looks).scaled(rounds).rounds
    more_s = 2 * (rounds - gate.looks[-1]) * gate.slot
    key, phase = last_measured(profile.load)
    yield f"gate.looks={list(looks)}"
    yield f"{key}.duration={ceil(phase.duration + more_s)}s"


def _fitting(profile: Profile, gate: Gate, time: str) -> int:
    """As many rounds as fit, with everything around them."""
    try:
        wanted_s = parse_duration_s(time)
    except ValueError as error:
        raise ConfigError(f"--time {time}: {error}") from None
    around_s = profile.load.duration_s - 2 * gate.looks[-1] * gate.slot
    rounds = min(MOST_ROUNDS, 2 * int((wanted_s - around_s) / (4 * gate.slot)))
    if rounds < FEWEST:
        least_s = around_s + 2 * FEWEST * gate.slot
        raise ConfigError(
            f"--time {time}: holds no {FEWEST} rounds of 2 x {gate.slot:g} s, the fewest in which "
            f"a gate can decide: write at least {format_duration(ceil(least_s))}"
        )
    return rounds

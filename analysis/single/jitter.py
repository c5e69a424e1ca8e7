"""Distortion of services that are somebody else's: the generator's, or of the way to them."""

from analysis.evidence.requests import pooled
from analysis.evidence.run import Evidence
from analysis.evidence.traffic import traffic
from analysis.statistics.percentiles import quantile
from analysis.words.units import counted
from analysis.words.values import show
from recording.hlog import GENERATOR, LATENCY

KEY = "validity.distortion_p99"
ON_TIME = 0.25
"""Of the limit of distortion: timers that are late by less leave the rest to the way."""


def jitter_in_words(evidence: Evidence) -> str:
    """What is left without the way there and back, whose it is, and what to change."""
    said = f"client time minus the server's own and the way there and back: {_whose(evidence)}"
    if lost := sum(of.resent for of in traffic(evidence).values()):
        said += f"; {counted(lost, 'TCP segment')} sent again: packets were lost"
    return f"{said}; where clients have such a way as a rule, raise {KEY}"


def _whose(evidence: Evidence) -> str:
    lag = pooled(evidence, LATENCY, GENERATOR)
    if not lag.n:
        return "jitter of the way, or a generator that was late"
    p99_ms = quantile(lag.values_us, lag.counts, 0.99) / 1000
    timers = f"the generator's own timers were late by {show(p99_ms, 'ms')} (p99)"
    if p99_ms <= 1000 * ON_TIME * evidence.manifest.profile.validity.distortion_p99:
        return f"{timers}, so it is jitter of the way, or of what stands before the services"
    return f"{timers}, so it may be the generator's as well as jitter of the way"

"""What Kubernetes' autoscaler does: it wants ⌈replicas × utilization / target⌉ of them.

It leaves out ratios within `TOLERANCE` of 1 (kubernetes.io, Horizontal Pod Autoscaling, algorithm
details; --horizontal-pod-autoscaler-tolerance). Where a decision shows that it did not, later means
as high ask for as much again.
"""

from math import ceil

from analysis.audit.finding import Finding, Kind, Relations, percent
from analysis.published.intervals import Interval, apart
from analysis.published.system import Autoscaler, MeanUse, Scaled
from analysis.published.table import Published

TOLERANCE = 0.1


def scaling(table: Published) -> Relations:
    """Every decision, and every mean after it."""
    for scaler in table.autoscalers:
        for decision in scaler.scaled:
            yield from _decision(scaler, decision)
        for mean in scaler.means:
            yield from _mean(scaler, mean)


def wanted(scaler: Autoscaler, replicas: float, utilization: float) -> int:
    """Replicas that the formula asks for, within the limits."""
    asked = ceil(replicas * utilization / scaler.target.mid - 1e-9)
    least = max(scaler.min_replicas.mid, 1) if scaler.min_replicas else 1
    return int(min(max(asked, least), scaler.max_replicas.mid))


def _decision(scaler: Autoscaler, it: Scaled) -> Relations:
    asked = wanted(scaler, it.replicas_from.mid, it.utilization.high)
    ratio = it.utilization * (1 / scaler.target.mid)
    formula = f"{it.utilization} / {scaler.target} = {ratio.mid:.3g}"
    if it.replicas_to.mid > it.replicas_from.mid and asked < it.replicas_to.mid:
        says = (
            f"{scaler.service}: {formula} × {it.replicas_from} asks for {asked} replicas, "
            f"not {it.replicas_to}"
        )
        yield Finding(Kind.POOLS, says, it.replicas_to.mid / max(asked, 1), scaler.where)
    elif abs(ratio.high - 1) <= TOLERANCE and abs(ratio.low - 1) <= TOLERANCE:
        says = (
            f"{scaler.service}: scaled {it.replicas_from} to {it.replicas_to} at {formula}, within "
            f"the {percent(TOLERANCE)} that Kubernetes lets pass"
        )
        unless = "its tolerance was set lower"
        yield Finding(Kind.POOLS, says, apart(ratio, Interval(1, 1)), scaler.where, unless)
    else:
        yield None


def _mean(scaler: Autoscaler, mean: MeanUse) -> Relations:
    """A mean above the target was above it for long enough; what scaled before shows the rest."""
    before = [it for it in scaler.scaled if it.at.s < mean.end.s]
    if not before or before[-1].utilization.low > mean.utilization.high:
        return
    asked = wanted(scaler, mean.replicas.mid, mean.utilization.low)
    says = (
        f"{scaler.service}: {mean.utilization} as mean of {mean.start} to {mean.end} on "
        f"{mean.replicas} replicas asks for ⌈{mean.replicas} × {mean.utilization} / "
        f"{scaler.target}⌉ = {asked}; it scaled at {before[-1].utilization} before"
    )
    holds = asked <= mean.replicas.mid
    factor = asked / mean.replicas.mid
    yield None if holds else Finding(Kind.POOLS, says, factor, mean.where or scaler.where)

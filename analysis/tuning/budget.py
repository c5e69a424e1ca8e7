"""How many connections each replica may have, so that all of them together are never too many.

A rolling update of a Kubernetes Deployment may run ``maxSurge`` replicas beside the others, 25 % by
default and rounded up (https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
#max-surge), and the autoscaler may be at its maximum meanwhile.
"""

from dataclasses import dataclass
from math import ceil

from analysis.tuning.asked import Budget


@dataclass(frozen=True, slots=True)
class Shared:
    """``pool_max`` is the largest that is safe for each of ``replicas``, surge included."""

    budget: Budget
    replicas: int
    pool_max: int

    def needed(self, pool_max: float) -> int:
        """Connections that pools of this size can take together."""
        return round(pool_max) * self.replicas

    def exceeded_by(self, pool_max: float) -> bool:
        """Whether such pools can take more than there are."""
        return self.needed(pool_max) > self.budget.max_connections

    def __str__(self) -> str:
        most, surge = self.budget.replicas_max, self.replicas - self.budget.replicas_max
        return (
            f"{self.budget.max_connections} connections for {most} + {surge} replicas (autoscaler "
            f"at its most, rolling update): at most {self.pool_max} each"
        )


def shared(budget: Budget) -> Shared:
    """What is left for each; ``pool_max`` is 0 where there are more replicas than connections."""
    # Of 0.1 + 0.2 and the like: 5 x 0.2 is one replica and not two.
    surge = ceil(round(budget.replicas_max * budget.surge, 9))
    replicas = budget.replicas_max + surge
    return Shared(budget, replicas, budget.max_connections // replicas)

"""One recording before its judge: what is measured once and used by several rules."""

from functools import cached_property

from analysis.evidence.memory import ServiceMemory, memory_of
from analysis.evidence.orders import Reconciliation, reconcile
from analysis.evidence.requests import Sample, judged_kind, samples
from analysis.evidence.resources import Pool, pools_of
from analysis.evidence.run import Evidence
from analysis.evidence.sampling import standing_still, unsampled, unwell
from analysis.evidence.stretches import Stretch
from analysis.forecast.outlook import Outlook
from analysis.forecast.pools import outlooks
from analysis.forecast.steady import steady
from recording.flow import Services


class Case:
    """Everything by subject; computed when it is first asked for."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    @property
    def services(self) -> Services:
        """Those that the recording was made with."""
        return self.evidence.services

    @cached_property
    def samples(self) -> dict[str, Sample]:
        """The measured requests of each step that was seen, and of the journey."""
        return samples(self.evidence, judged_kind(self.evidence))

    @cached_property
    def pools(self) -> dict[str, list[Pool]]:
        """Every service's pools."""
        return {subject: pools_of(self.evidence, subject) for subject in self.services.subjects}

    @cached_property
    def steady(self) -> tuple[Stretch, ...]:
        """When the load stood."""
        return steady(self.evidence)

    @cached_property
    def outlooks(self) -> dict[str, tuple[Outlook, ...]]:
        """Whether every service's pools climb then, and when they would be full."""
        return {s: outlooks(self.evidence, pools, self.steady) for s, pools in self.pools.items()}

    @cached_property
    def memory(self) -> dict[str, ServiceMemory]:
        """Every service's memory."""
        return {subject: memory_of(self.evidence, subject) for subject in self.services.subjects}

    @cached_property
    def orders(self) -> Reconciliation | None:
        """Both sides' orders; None where nobody keeps a ledger that we can read."""
        return reconcile(self.evidence)

    @cached_property
    def unwell(self) -> frozenset[str]:
        """Services whose requests failed or hung."""
        return unwell(self.evidence, self.samples)

    @cached_property
    def unsampled(self) -> dict[str, str]:
        """Of those the ones that gave too few samples, and how many; and who gave old ones."""
        return self.standing_still | unsampled(self.evidence, self.unwell)

    @cached_property
    def standing_still(self) -> dict[str, str]:
        """Services whose pages were not renewed, and how that shows."""
        return standing_still(self.evidence)

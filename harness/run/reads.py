"""How services are read that do not say all of themselves on a ``/metrics`` page of our names."""

from collections.abc import Mapping
from functools import partial

from harness.sampling.processes import Processes
from harness.sampling.sampler import Read, page_of
from harness.scene.scene import Scene
from recording.profile import Profile


def reads_of(scene: Scene, profile: Profile) -> dict[str, Read]:
    """By subject: mapped pages; of a service whose processes are known, these beside its page."""
    within_s, access = profile.sampling.timeout, profile.target.access

    def beside_page(subject: str, processes: Processes) -> Mapping[str, float]:
        url, mapped = scene.sampled.get(subject), scene.reads.get(subject)
        page = mapped() if mapped else page_of(url, within_s, access) if url else {}
        return {**page, **processes.of(subject)}

    both = {subject: partial(beside_page, subject, own) for subject, own in scene.processes.items()}
    return {**scene.reads, **both}

"""locustfiles/trace.py: every request begins a trace that any tracing system can read."""

import re

from locustfiles.trace import new_traceparent, trace_id_of

LEVEL_1 = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01")
"""Version, trace, parent and flags as the recommendation has them; ids of zeros are none."""


def test_a_traceparent_is_one_of_level_1_and_sampled() -> None:
    """As https://www.w3.org/TR/trace-context-1/#traceparent-header-field-values has it."""
    made = new_traceparent()
    assert LEVEL_1.fullmatch(made)
    assert trace_id_of(made) == made[3:35]


def test_no_two_requests_share_a_trace_or_a_parent() -> None:
    """Neither within a process nor, as the system draws them, between forked ones."""
    made = [new_traceparent().split("-") for _ in range(1000)]
    assert (
        len({trace for _, trace, _, _ in made}) == len({parent for *_, parent, _ in made}) == 1000
    )

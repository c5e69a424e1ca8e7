"""The way to services at urls is no distortion; what varies, or is the generator's, still is."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.judge import judge
from analysis.limits.thresholds import parse_thresholds
from analysis.words.values import Outcome, Verdict
from tests.analysis.recordings import SMALL, Recording

LIMITS = parse_thresholds('[payment-gateway]\nlatency = ["mean < 1000 ms"]')
OURS = Recording(**SMALL, distortion_every_s=1)
NEAR = replace(OURS, urls=True, ledger=None, judged=("latency",))
FAR = replace(NEAR, distortion_ms=50.0)
"""45 to 55 ms beyond the services' own time."""
COUNTED: dict[str, Any] = {
    "requests": 4000, "opened": 40, "tls": 40, "closed": 0, "resent": 0,
    "wire_bytes": 2**20, "content_bytes": 3 * 2**20, "least_handshake_s": 0.0494,
}  # fmt: skip


def judged(folder: Path, recording: Recording) -> Verdict:
    return judge(recording.write(folder / "run"), LIMITS)


def with_traffic(recording: Recording, **counted: Any) -> Recording:
    return replace(recording, closing={"traffic": {"payment": COUNTED | counted}})


def reason(verdict: Verdict) -> str:
    (found,) = (text for text in verdict.invalid_reasons if text.startswith("distortion p99"))
    return found


def about(verdict: Verdict, begin: str) -> list[str]:
    return [text for text in verdict.findings if text.startswith(begin)]


def test_a_shop_far_away_passes_and_its_distance_is_shown(tmp_path: Path) -> None:
    """The limit of 40 ms is for what is left; clients waited for the way too, and that is said."""
    verdict = judged(tmp_path, with_traffic(FAR))
    assert verdict.verdict is Outcome.PASS, verdict.summary
    (said,) = about(verdict, "the way there and back takes ")
    assert "ms to payment-gateway (jitter " in said
    assert "TCP handshake 49.4 ms)" in said
    assert "taken out of the distortion, and part of the latencies that are judged" in said
    assert "nearer" not in said


def test_a_handshake_that_is_much_quicker_was_with_something_nearer(tmp_path: Path) -> None:
    """A load balancer takes the connection; the shop is behind it."""
    (said,) = about(judged(tmp_path, with_traffic(FAR, least_handshake_s=2e-4)), "the way there")
    assert said.endswith("what answers a handshake so soon is nearer, as a load balancer is")


def test_our_own_services_are_here(tmp_path: Path) -> None:
    """What is added to theirs is the harness's and the host's, however even it is."""
    verdict = judged(tmp_path, replace(OURS, distortion_ms=50.0))
    assert reason(verdict).startswith("distortion p99 54.")
    assert not about(verdict, "the way there")


def test_what_the_generators_timers_are_late_by_is_no_way(tmp_path: Path) -> None:
    """Every answer 50 ms late, and every timer too: that is a starved generator, and INVALID."""
    starved = replace(FAR, distortion_ms=90.0, lag_ms=60.0)
    verdict = judged(tmp_path, starved)
    assert "late by 66" in reason(verdict)
    assert "it may be the generator's as well as jitter of the way" in reason(verdict)


def test_jitter_is_named_and_the_key_to_change(tmp_path: Path) -> None:
    """A way of 450 to 550 ms, on time: the run is no evidence, and whose that is stands in it."""
    verdict = judged(tmp_path, with_traffic(replace(FAR, distortion_ms=500.0), resent=4))
    said = reason(verdict)
    assert "so it is jitter of the way, or of what stands before the services" in said
    assert "4 TCP segments sent again: packets were lost" in said
    assert said.endswith("raise validity.distortion_p99")
    assert [step.text for step in verdict.next_steps] == [
        "measure from nearer to the services; if clients are as far away, raise its limit"
    ]


def test_openings_are_measured_apart(tmp_path: Path) -> None:
    """A handshake of TLS takes two ways more: even for a connection each that is no distortion."""
    assert judged(tmp_path, replace(FAR, opening_ms=150.0)).verdict is Outcome.PASS


def test_openings_that_vary_are_distortion(tmp_path: Path) -> None:
    """450 to 550 ms until a connection is open."""
    assert reason(judged(tmp_path, replace(FAR, opening_ms=500.0)))


def test_openings_of_our_own_services_count_whole(tmp_path: Path) -> None:
    """A backlog of the mocks that is full is the host's doing."""
    assert reason(judged(tmp_path, replace(OURS, opening_ms=50.0)))


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        (
            {},
            "4,000 requests over 40 connections, 40 TLS handshakes, 1.0 MB received (3.0 MB decom",
        ),
        ({"closed": 9}, "; after 9 answers the service closed the connection"),
        ({"opened": 3999}, ": most requests wait for a handshake"),
        ({"resent": 1}, "; 1 TCP segment sent again: packets were lost"),
    ],
)
def test_connections_are_counted_and_shown(
    tmp_path: Path, counted: dict[str, Any], said: str
) -> None:
    """In a line for each service, and in the verdict."""
    verdict = judged(tmp_path, with_traffic(NEAR, **counted))
    first, *_ = about(verdict, "payment-gateway: ")
    assert said in first
    assert verdict.context["connections"][0]["of"] == ("payment-gateway",)


@pytest.mark.parametrize(
    "told", [3, {"payment": 3}, {"payment": COUNTED | {"opened": -1}}, {"payment": {}}]
)
def test_counts_that_are_none_are_not_shown(tmp_path: Path, told: Any) -> None:
    """A spoilt recording is no reason to fail, nor to show a zero."""
    verdict = judged(tmp_path, replace(NEAR, closing={"traffic": told}))
    assert not about(verdict, "payment-gateway: ")
    assert "connections" not in verdict.context

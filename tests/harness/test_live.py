"""harness/screen/live.py: what is not known is not shown as zero."""

import io

import pytest

from harness.screen.live import LiveView
from harness.screen.plain import Screen
from harness.screen.progress import Now


def shown(values: dict[str, float]) -> str:
    """The panel's line of a service that was sampled so."""
    console = Screen(file=io.StringIO(), force_terminal=True, width=100)
    now = Now(1.0, "ramp", "", True, 1.0, 1, 1.0, 0, (), {"cart-service": values})
    with LiveView(console, "a run") as view:
        view.show(now)
    drawn = console.file.getvalue()
    return next(line for line in drawn.splitlines() if "cart-service" in line)


def test_memory_that_a_service_does_not_export_is_no_zero() -> None:
    """Services of a shop's own may export none."""
    assert shown({"up": 1.0}).split() == ["cart-service", "·", "·", "·"]
    assert shown({"up": 1.0, "process_resident_memory_bytes": 2.0**26}).split()[1] == "64"


def test_a_service_that_gives_no_answer_is_named_so() -> None:
    """Its last sample says that it was not up."""
    assert "(no answer)" in shown({"up": 0.0})


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_plain_terminal_gets_lines_and_no_escapes(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Singular and plural, thousands apart; nothing is drawn over."""
    monkeypatch.setenv(name, value)
    console = Screen(file=io.StringIO(), force_terminal=True, width=80)
    now = Now(1.0, "ramp", "", True, 1.0, 1200, 1043.2, 1, (), {})
    with LiveView(console, "a run") as view:
        view.show(now)
    drawn = console.file.getvalue()
    assert drawn == "T+1s     ramp (measured): 1,200 users, 1,043 req/s, 1 failure, 1s left\n"

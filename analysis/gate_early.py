"""Whether a gate that is still running may stop at one of its declared looks."""

from analysis.evidence import load_evidence
from analysis.gate_data import GateVerdict
from analysis.gate_look import deciding_look, settings_of
from analysis.thresholds import Thresholds
from recording.errors import ConfigError
from recording.hlog import parse_hlog
from recording.jsonl import read_json_lines
from recording.manifest import read_manifest
from recording.rundir import RunDir
from recording.slots import Slots
from recording.timetable import slots_of

_TAIL_BYTES = 1 << 16


class EarlyLook:
    """Asked again and again about one run; cheap, because it judges once per early look.

    A look is taken one slot after its last round, when nearly all of that round's requests have
    been answered. What it says only ends the run: the verdict is that on the whole recording.
    Raises ConfigError, when made, for a ``[regression]`` that fits no test.
    """

    def __init__(self, thresholds: Thresholds) -> None:
        self._settings = settings_of(thresholds)
        self._slots: Slots | None = None
        self._looks: tuple[int, ...] = ()

    def __call__(self, run: RunDir) -> str:
        """Why the run may stop now; "" while it may not."""
        if self._slots is None:
            self._begin(run)
        if self._slots is None or not self._looks:
            return ""
        if _reached_s(run) < self._due_s(self._slots, self._looks[0]):
            return ""
        self._looks = self._looks[1:]
        look = deciding_look(load_evidence(run), self._settings)
        if look is None or look.verdict is GateVerdict.INCONCLUSIVE:
            return ""
        return f"{look.verdict} after {look.rounds} rounds"

    def _begin(self, run: RunDir) -> None:
        try:
            manifest = read_manifest(run.manifest)
        except ConfigError:  # the judge will say so
            return
        events, _ = read_json_lines(run.events)
        self._slots = slots_of(manifest, events)
        gate = manifest.profile.gate
        self._looks = gate.looks[:-1] if gate else ()

    def _due_s(self, slots: Slots, rounds: int) -> float:
        return slots.start_of(2 * (slots.warmup_rounds + rounds) + 1)


def _reached_s(run: RunDir) -> float:
    """The end of the newest interval that stands in the log, s since the run's epoch."""
    try:
        with run.latency.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
    except FileNotFoundError:
        return 0.0
    # The first line was cut by the seek, the last may still be being written: both are skipped.
    whole = tail[tail.find(b"\n") + 1 : tail.rfind(b"\n") + 1].decode("ascii", "replace")
    found = parse_hlog(whole).intervals
    return max((i.start_s + i.length_s for i in found), default=0.0)

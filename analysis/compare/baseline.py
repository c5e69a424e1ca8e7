"""What is kept of a run so that others can be compared with it when its recording is gone."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import isfinite, log
from typing import Any, Literal

import orjson
from pydantic import Field, field_validator, model_validator

from analysis.evidence.host import host_class
from analysis.evidence.run import Evidence, last_net, load_evidence
from analysis.limits.thresholds import Thresholds
from analysis.metrics.case import Case
from analysis.metrics.catalogue import METRICS
from analysis.single.judge import doubts, judge_evidence
from analysis.words.units import and_more
from recording.errors import ConfigError, RunFailedError, SpoiltError
from recording.manifest import Manifest
from recording.profile import Profile
from recording.rundir import RunDir
from recording.series import MOST
from recording.tables import Section, Table

_Z95 = 1.959964  # an interval of 95 % reaches this many standard errors to either side
LATENCIES = ("p50", "p95", "p99")
_NOT_LOAD = {"name", "description", "seed", "services", "validity", "judge"}
"""Keys of a profile that do not shape the load. `services` is what is under test."""


class Figure(Table):
    """One measurement: unit, samples behind it, and its within-run 95 % interval."""

    subject: str
    metric: str
    value: float = Field(ge=0, le=MOST)
    unit: str
    n: int = Field(ge=0)
    ci_low: float | None = None
    ci_high: float | None = None

    @model_validator(mode="after")
    def _in_its_unit(self) -> Figure:
        known = METRICS.get(self.metric)
        if known is not None and known.unit != self.unit:
            raise ValueError(f"{self.metric} is kept in {known.unit}, not in {self.unit!r}")
        return self

    @property
    def log_error(self) -> float | None:
        """Standard error of the logarithm from what varies within the run; None where not kept."""
        low, high = self.ci_low, self.ci_high
        if low is None or high is None or not 0 < low <= high:
            return None
        return log(high / low) / (2 * _Z95)


class Baseline(Section):
    """A run, small: what was measured, under which load, where, of what.

    `load` is the part of the profile that shapes the load and `digest` its fingerprint;
    `services` is how the mocks were told to behave, `seeds` what load and services drew from.
    """

    format: Literal[1] = 1
    run_id: str
    profile: str
    digest: str
    host_class: str
    host: dict[str, Any]
    started_utc: str
    revision: str = ""
    dirty: bool = False
    ended: str = "completed"
    measured_s: float = Field(ge=0, le=MOST)
    load: dict[str, Any]
    services: dict[str, Any]
    seeds: dict[str, int] = Field(default_factory=dict)
    figures: tuple[Figure, ...]
    doubts: tuple[str, ...] = Field(default=(), exclude=True)
    """Why a run cannot PASS; of what is stored there are none."""

    @field_validator("services")
    @classmethod
    def _without_seeds(cls, services: dict[str, Any]) -> dict[str, Any]:
        """What a service drew is not how it was told to behave (baselines of before have both)."""
        kept = {
            name: {key: value for key, value in table.items() if key != "seed"}
            for name, table in services.items()
        }
        return {name: table for name, table in kept.items() if table}

    @field_validator("figures")
    @classmethod
    def _each_once(cls, figures: tuple[Figure, ...]) -> tuple[Figure, ...]:
        names = Counter((figure.subject, figure.metric) for figure in figures)
        if twice := [" ".join(name) for name, n in names.items() if n > 1]:
            raise ValueError(f"{twice[0]} is there more than once")
        return figures

    def figure(self, subject: str, metric: str) -> Figure | None:
        """One figure, None where it was not measured."""
        return next((f for f in self.figures if (f.subject, f.metric) == (subject, metric)), None)

    @property
    def subjects(self) -> tuple[str, ...]:
        """What has latencies, in the order of the flow: steps, then the journey."""
        return tuple(dict.fromkeys(f.subject for f in self.figures if f.metric in LATENCIES))

    def to_json(self) -> bytes:
        """The stored file: the same bytes for the same recording."""
        return orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_INDENT_2) + b"\n"


def baseline_of(run: RunDir, thresholds: Thresholds, metrics: tuple[str, ...]) -> Baseline:
    """What to keep of a run; `metrics` are percentiles wanted beside p50, p95 and p99.

    Raises RunFailedError where the run is INVALID or spoilt, so no evidence to compare with;
    ConfigError for a paired run (`loadgate gate` judges those), or an unreadable manifest.
    """
    try:
        with last_net(run):
            return _baseline_of(run, thresholds, metrics)
    except SpoiltError as error:
        raise RunFailedError(f"{run.root}: INVALID, no evidence to compare: {error}") from error


def _baseline_of(run: RunDir, thresholds: Thresholds, metrics: tuple[str, ...]) -> Baseline:
    evidence = load_evidence(run)
    if evidence.manifest.paired and evidence.manifest.paired.ignored:
        raise ConfigError(f"{run.root}: a gate that loaded nothing: there is nothing to keep of it")
    if evidence.manifest.search is not None:
        raise ConfigError(f"{run.root}: a search, of many loads or settings: `loadgate analyze` it")
    if len(arms := {interval.tag.arm for interval in evidence.log.intervals}) > 1:
        raise ConfigError(
            f"{run.root}: a paired run (arms {', '.join(sorted(arms))}), already a comparison"
        )
    if invalid := judge_evidence(evidence, thresholds).invalid_reasons:
        first = invalid[0] + and_more(len(invalid), "reason")
        raise RunFailedError(f"{run.root}: INVALID, no evidence to compare: {first}")
    manifest = evidence.manifest
    where = host_class(manifest.host)
    load = load_of(manifest.profile)
    return Baseline(
        run_id=manifest.run_id,
        profile=manifest.profile.name,
        digest=digest(load),
        host_class=where.name,
        host=where.facts(),
        started_utc=manifest.started_utc,
        revision=str(manifest.git.get("revision", "")),
        dirty=bool(manifest.git.get("dirty", False)),
        ended=manifest.ended,
        measured_s=_significant(evidence.measured_s),
        load=load,
        services=_services(manifest),
        seeds=_seeds(manifest),
        figures=tuple(_figures(evidence, dict.fromkeys((*LATENCIES, *metrics, "error_rate")))),
        doubts=tuple(doubts(evidence)),
    )


def load_of(profile: Profile) -> dict[str, Any]:
    """The part of a profile that shapes the load; no key of the payment sandbox is kept."""
    load = profile.model_dump(mode="json", exclude=_NOT_LOAD)
    load["target"] = profile.target.reached
    if profile.arm is not None:
        load["arm"] = True  # how it is started is under test
    if profile.gate is not None:
        load["gate"].pop("ignore", None)
    return load


def digest(load: Mapping[str, Any]) -> str:
    """Fingerprint of a load: equal for equal settings, whatever profile they stand in."""
    return hashlib.sha256(orjson.dumps(load, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def _services(manifest: Manifest) -> dict[str, Any]:
    return {name.replace("-", "_"): dict(t) for name, t in manifest.profile.services.items()}


def _seeds(manifest: Manifest) -> dict[str, int]:
    tables = _services(manifest).items()
    found = {name: table["seed"] for name, table in tables if "seed" in table}
    return found if manifest.profile.seed is None else found | {"load": manifest.profile.seed}


def _figures(evidence: Evidence, metrics: Iterable[str]) -> Iterator[Figure]:
    """Of the steps these metrics, of the services what they use; what could be measured."""
    case = Case(evidence)
    found = [sample.measure(metric) for sample, metric in product(case.samples.values(), metrics)]
    for service, metric in product(evidence.services.subjects, ("utilization", "peak_rss")):
        found += METRICS[metric].measure(case, service)
    for m in found:
        if isfinite(m.value):
            kept: dict[str, Any] = {name: getattr(m, name) for name in Figure.model_fields}
            kept |= {k: _significant(v) for k, v in kept.items() if isinstance(v, float)}
            yield Figure(**kept)


def _significant(value: float) -> float:
    """Six digits: more than any measurement here carries, and files that can be compared."""
    return float(f"{value:.6g}")

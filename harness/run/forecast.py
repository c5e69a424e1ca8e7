"""What a run would take and what could be judged of it, without starting anything."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, inf, isnan
from pathlib import Path
from typing import NoReturn

import psutil
import typer

from analysis.evidence.requests import needed
from analysis.limits.guard import Guards
from analysis.limits.rules import Rule
from analysis.limits.thresholds import Thresholds
from analysis.metrics.errors import RULE_OF_THREE
from analysis.report.document import Document, Lines, Row, Table, texts
from analysis.report.story import told
from analysis.words.units import format_elapsed
from harness.generator.generator import Workers, expected_rate, processes_for
from harness.scene import preflight
from harness.scene.disk import bytes_of_recording, free_bytes, in_gb
from harness.scene.scene import reached_urls, services_of
from harness.screen.terminal import answer
from harness.system.host import usable_cores
from recording.durations import format_duration
from recording.errors import ConfigError
from recording.flow import FLOW, Services
from recording.profile import JOURNEY, Profile

HERE = Workers()
FEWEST_SAMPLES_OF_MEMORY = 10
"""Below it there is no scatter to judge a slope by (`analysis/memory/judge.py`)."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """``facts`` by name; ``rules`` that would be judged by subject, ``not_judged`` and why not.

    ``short`` is what this machine lacks for the load: it would be refused. ``guards`` are in force
    while it goes on: what each does, and when.
    """

    facts: Mapping[str, str]
    rules: Mapping[str, str]
    not_judged: Sequence[tuple[str, str]]
    doubts: Sequence[str]
    short: Sequence[str]
    guards: Sequence[tuple[str, str]] = ()


def forecast(profile: Profile, limits: Thresholds, runs: Path, workers: Workers = HERE) -> Forecast:
    """Of ``loadgate run`` with these workers, recorded below ``runs``."""
    urls = reached_urls(profile)
    there = Services(services_of(profile), profile.flow.order)
    judged: dict[str, list[str]] = {}
    not_judged: list[tuple[str, str]] = []
    for subject, rule in limits:
        if why := next(_in_the_way(profile, there, subject, rule), ""):
            not_judged.append((f"{subject}: {rule.text}", why + _needed(profile, subject, rule)))
        else:
            judged.setdefault(subject, []).append(rule.text)
    rules = {subject: ", ".join(texts) for subject, texts in judged.items()}
    found = _made(profile, runs, workers.expected, _services(urls, workers), rules, not_judged)
    return replace(found, guards=tuple(_guards(limits.guards, there)))


def _guards(guards: Guards, there: Services) -> Iterator[tuple[str, str]]:
    """Those that watch anybody."""
    for guard in guards.every:
        if subjects := guard.subjects(there):
            whom = ", ".join(subjects) if guard.subject else f"any of {len(subjects)} services"
            yield guard.action, f"unless {guard} of {whom}"


def gate_forecast(
    profile: Profile, limits: Thresholds, runs: Path, arms: Sequence[str]
) -> Forecast:
    """Of ``loadgate gate``; ``arms`` are said as they were resolved."""
    settings = limits.gate
    control = profile.flow.all_named(settings.control)
    steps = [step for step in (*profile.flow.steps, JOURNEY) if step not in control]
    rows = dict.fromkeys(steps, ", ".join(settings.latency.metrics))
    found = _made(profile, runs, 0, "; ".join(arms), rows, [])
    gate = profile.gate
    rounds = " or ".join(map(str, gate.looks)) if gate else ""
    slot_s = gate.slot if gate else 0.0
    return Forecast(
        {**found.facts, "rounds": f"{rounds}, of two slots of {slot_s:g} s"},
        found.rules, found.not_judged, found.doubts, found.short,
    )  # fmt: skip


def answer_forecast(found: Forecast, *, as_json: bool) -> NoReturn:
    """Show it. Raises typer.Exit, or ConfigError for a load that this machine cannot carry."""
    value = {
        "facts": found.facts,
        "rules": found.rules,
        "not_judged": [{"rule": rule, "because": why} for rule, why in found.not_judged],
        "doubts": found.doubts,
        "short": found.short,
        "guards": [{"action": action, "unless": said} for action, said in found.guards],
    }
    facts = Table((*texts("would be", ""),), tuple(Row(each) for each in found.facts.items()))
    missing = Table(
        (*texts("not judged", "because"),), tuple(Row(each) for each in found.not_judged)
    )
    judged = Table((*texts("judged", "by"),), tuple(Row(each) for each in found.rules.items()))
    guards = Table((*texts("guard", ""),), tuple(Row(each) for each in found.guards))
    lines = Lines((*found.doubts, "nothing was started"))
    answer(Document((facts, judged, missing, guards, lines)), value, as_json=as_json)
    if found.short:
        raise ConfigError("; ".join(found.short))
    raise typer.Exit


def _made(
    profile: Profile,
    runs: Path,
    workers: int,
    services: str,
    rules: Mapping[str, str],
    not_judged: Sequence[tuple[str, str]],
) -> Forecast:
    limit = preflight.raise_descriptor_limit()
    processes = workers or processes_for(profile, limit)
    free_gb = psutil.virtual_memory().available / 2**30
    load, rate = profile.load, expected_rate(profile)
    whose = "on other machines" if workers else "here"
    memory_gb = preflight.bytes_needed(profile) / 2**30
    descriptors = preflight.descriptors_needed(profile, processes)
    facts = {
        "profile": profile.name,
        "services": services,
        "load": _load(profile),
        "requests": _requests_in_words(profile, rate),
        "time": f"{format_duration(load.duration_s)}, "
        f"{format_duration(profile.measured_s)} of it measured"
        + (f", and a cool-down of {format_duration(load.cooldown)}" if load.cooldown else ""),
        "processes": f"{processes} of Locust, {whose}",
        "memory": f"about {memory_gb:.1f} GB of {free_gb:.1f} GB free",
        "descriptors": f"{descriptors:,} of {limit:,} a process",
        "disk": f"about {in_gb(bytes_of_recording(profile))} of {in_gb(free_bytes(runs))} free",
        "cores": f"{_about(preflight.cores_needed(profile))} of {usable_cores()}",
    }
    if story := told(load):
        hours = format_elapsed(sum(told_s for _, _, told_s in story))
        most = max(told_s / length_s for _, length_s, told_s in story)
        facts["story"] = f"T+0s to {hours}, up to {most:.0f} times as fast"
    if profile.faults:
        facts["faults"] = ", ".join(
            f"{fault.kind} of {fault.service} at {format_duration(fault.at)}"
            for fault in profile.faults
        )
    short = preflight.shortages(profile, processes, limit, runs)
    return Forecast(facts, rules, not_judged, preflight.doubts(profile), short)


def _about(cores: float) -> str:
    return "not known" if isnan(cores) else f"about {cores:.1f}"


def _requests_in_words(profile: Profile, per_s: float) -> str:
    if isnan(per_s):
        return f"as often as {profile.scenario.locustfile} has it"
    return f"about {per_s:,.0f}/s, {per_s * profile.measured_s:,.0f} measured"


def _load(profile: Profile) -> str:
    if profile.load.model == "users":
        return f"{profile.load.peak_users:,} users at most"
    return (
        f"{profile.load.most_arrivals_per_s:g} arrivals/s at most, "
        f"{profile.load.max_concurrent:,} under way"
    )


def _services(urls: Mapping[str, str], workers: Workers) -> str:
    if not urls:
        keys = ", ".join(service.key for service in FLOW.all)
        ports = [*workers.ports_for_services.values()]
        which = f"ports {ports[0]} to {ports[-1]}" if ports else "free ports"
        return f"mocks of {keys}, on {which} of {workers.host_for_services}"
    return ", ".join(f"{name} at {url}" for name, url in urls.items())


def _in_the_way(profile: Profile, there: Services, subject: str, rule: Rule) -> Iterator[str]:
    """Why a rule certainly cannot be judged."""
    metric = rule.metric
    if not metric.of(there, subject):
        yield "its service is not in [target]"
    if metric.kind in ("latency", "errors"):
        expected = _requests(profile, there, subject)
        enough = needed(metric.name)
        if metric.name == "error_rate" and 0 < rule.limit < 100:
            enough = ceil(RULE_OF_THREE / (rule.limit / 100))
        if expected < enough:
            yield f"about {expected:,.0f} requests are due, it takes {enough:,}"
    if metric.name in ("slope", "time_to_limit"):
        due = profile.measured_s / profile.sampling.interval
        if due < FEWEST_SAMPLES_OF_MEMORY:
            yield f"{due:.0f} samples are due, it takes {FEWEST_SAMPLES_OF_MEMORY}"


def _requests(profile: Profile, there: Services, subject: str) -> float:
    """Measured requests that are due: of a service of its rarest step that is taken at all, inf of
    one nobody calls."""
    if profile.scenario.locustfile:
        return inf  # nobody knows
    per_step = profile.per_journey
    journeys = expected_rate(profile) * profile.measured_s / sum(per_step.values())
    if subject == JOURNEY:
        return journeys * sum(per_step.values())
    steps = there.steps_of(subject) or ((subject,) if subject in per_step else ())
    return min((journeys * per_step[step] for step in steps if per_step[step]), default=inf)


def _needed(profile: Profile, subject: str, rule: Rule) -> str:
    """Whether that spoils a PASS."""
    return "" if profile.judge.requires(subject, rule.metric.kind) else " (nor is it required)"

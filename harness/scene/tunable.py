"""Which settings can be tuned, and over which range: read and checked."""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import inf
from typing import Any, Literal

from analysis.tuning.asked import CONNECTIONS, Budget, Setting
from analysis.words.units import counted
from harness.scene.services import named_services
from mock_services.table import SERVICES
from recording.errors import ConfigError, did_you_mean
from recording.profile import Profile
from recording.profile_file import build, key_path

ALIASES = {
    "inventory_lock.ttl_seconds": "checkout.lock_ttl_s",
    "inventory_lock.lock_ttl_s": "checkout.lock_ttl_s",
    "inventory_lock.autoscaler.threshold": "inventory_lock.scale_threshold_percent",
}
"""Names that people use; a lock lives as long as checkout asks for."""
_LONGER_IS_CHEAPER = ("lock_ttl_s", "scale_threshold_percent")
"""More time to pay, and fewer replicas."""
_UNITS = (("pool_max", CONNECTIONS), ("replicas", "replicas"), ("_percent", "%"),
          ("_per_s", "/s"), ("_s", "s"), ("_ms", "ms"))  # fmt: skip
_THEIRS = (("pool_size", CONNECTIONS), ("connections", CONNECTIONS), ("open_conns", CONNECTIONS),
           ("workers", "workers"), ("threads", "threads"), *_UNITS)  # fmt: skip
"""Of names that others give, in small letters."""
MOST_SETTINGS = 2
_NUMBER = r"\d{1,12}(?:\.\d{1,12})?"
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})", re.ASCII)
_SHARE = re.compile(rf"({_NUMBER})\s*%", re.ASCII)
_TIMES = re.compile(rf"({_NUMBER})x", re.ASCII)


def full_settings(tables: Mapping[str, Mapping[str, Any]], where: str) -> dict[str, dict[str, Any]]:
    """What each service is told, defaults included: numbers, words and truth values."""
    given = named_services(tables, where)
    found = {}
    for key, service in SERVICES.items():
        own = build(service.settings, given.get(key, {}), f"{where}: services.{key}")
        values = own.model_dump()
        found[key] = {k: v for k, v in values.items() if isinstance(v, int | float | str)}
    return found


def settings_of(
    names: Sequence[str], ranges: Sequence[str], told: Mapping[str, Mapping[str, Any]]
) -> tuple[Setting, ...]:
    """One for each name, over its range. Raises ConfigError for what cannot be tuned."""
    _check_counts(names, ranges)
    return _distinct(_setting(*pair, told) for pair in zip(names, ranges, strict=True))


def their_settings(
    names: Sequence[str], ranges: Sequence[str], today: Sequence[float], profile: Profile
) -> tuple[Setting, ...]:
    """The same of services that are not ours: what is in force is what ``today`` says, or the
    variable of ``[arm]``. Raises ConfigError.
    """
    _check_counts(names, ranges)
    if today and len(today) != len(names):
        raise ConfigError(
            f"--today: {len(today)} given for {counted(len(names), 'setting')}: one for each"
        )
    present = today or [_of_arm(name, profile) for name in names]
    for name, value in zip(names, present, strict=True):
        _check_present(name, value)
    every = zip(names, ranges, present, strict=True)
    return _distinct(_their_setting(*each, profile) for each in every)


def _check_counts(names: Sequence[str], ranges: Sequence[str]) -> None:
    if not 1 <= len(names) <= MOST_SETTINGS:
        raise ConfigError(f"tune: {len(names)} settings: name one, or two for a small grid")
    if len(ranges) != len(names):
        raise ConfigError(
            f"--range: {len(ranges)} given for {counted(len(names), 'setting')}: "
            "one for each, in their order"
        )


def _distinct(settings: Iterable[Setting]) -> tuple[Setting, ...]:
    found = tuple(settings)
    if len({setting.key for setting in found}) < len(found):
        raise ConfigError(f"tune: {found[0].key} is named twice")
    return found


def _of_arm(name: str, profile: Profile) -> float:
    """What ``[arm.environment]`` has for it. Raises ConfigError where that is no number."""
    told = profile.arm.environment if profile.arm is not None and profile.tune is None else {}
    try:
        return float(told[name.partition(".")[2]])
    except (KeyError, ValueError):
        raise ConfigError(f"--today: say what {name} is today; nothing tells loadgate") from None


def _their_setting(name: str, text: str, present: float, profile: Profile) -> Setting:
    service, _, own = name.partition(".")
    services = [one.key for one in profile.flow.all]
    if service not in services:
        raise ConfigError(
            f"tune {name}: unknown service {service!r}{did_you_mean(service, services)}"
        )
    if not _NAME.fullmatch(own):
        what = "a variable that [arm] start reads" if profile.tune is None else "its name"
        raise ConfigError(f"tune {name}: write {service}. and {what}: {service}.POOL_SIZE")
    low, high = numbers("--range", text, "50..400")
    if not 0 < low < high:
        raise ConfigError(f"--range {text}: the first must be above 0 and below the second")
    whole = all(value.is_integer() for value in (low, high, present))
    small = own.lower()
    unit = next((unit for ending, unit in _THEIRS if small.endswith(ending)), "")
    cheaper: Literal["less", "more"] = "more" if small.endswith(_LONGER_IS_CHEAPER) else "less"
    return Setting(name, low, high, present, unit, whole, cheaper)


def _setting(name: str, text: str, told: Mapping[str, Mapping[str, Any]]) -> Setting:
    key = key_of(name)
    service, _, own = key.partition(".")
    present = told[service][own]
    _check_present(key, present)
    whole = isinstance(present, int)
    low, high = numbers("--range", text, "50..400")
    if whole and not (low.is_integer() and high.is_integer()):
        raise ConfigError(f"--range {text}: {key} is a whole number")
    if not 0 < low < high:
        raise ConfigError(f"--range {text}: the first must be above 0 and below the second")
    for end in (low, high):
        value = int(end) if whole else end
        build(SERVICES[service].settings, {**told[service], own: value}, f"--range {text}")
    unit = next((unit for ending, unit in _UNITS if own.endswith(ending)), "")
    cheaper: Literal["less", "more"] = "more" if own in _LONGER_IS_CHEAPER else "less"
    return Setting(key, low, high, float(present), unit, whole, cheaper)


def _check_present(name: str, value: float) -> None:
    """Raises ConfigError: levels are compared as ratios."""
    if not 0 < value < inf:
        raise ConfigError(f"tune {name}: it is {value:g} today, and only numbers above 0 are tuned")


def key_of(name: str) -> str:
    """``inventory_lock.pool_max`` of what was written. Raises ConfigError."""
    path = key_path(f"services.{name.removeprefix('services.')}")[1:]
    key = ALIASES.get(".".join(path), ".".join(path))
    service, _, own = key.partition(".")
    if service not in SERVICES:
        raise ConfigError(
            f"tune {name}: unknown service {service!r}{did_you_mean(service, SERVICES)}"
        )
    schema = SERVICES[service].settings
    tunable = sorted(n for n, field in schema.model_fields.items() if _is_number(field.annotation))
    if own not in tunable:
        raise ConfigError(f"tune {name}: no number {own!r}{did_you_mean(own, tunable)}")
    if own in schema.FIXED_WHILE_RUNNING:
        raise ConfigError(f"tune {name}: {own} cannot be changed while the service runs")
    return key


def _is_number(annotation: Any) -> bool:
    return annotation in (int, float)


def numbers(option: str, text: str, example: str) -> tuple[float, float]:
    """``50..400``. Raises ConfigError."""
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        raise ConfigError(f"{option} {text}: write it as {example}")
    return float(found[1]), float(found[2])


def share(option: str, text: str) -> float:
    """``20%`` as 0.2. Raises ConfigError for what is none, or the whole of it."""
    found = _SHARE.fullmatch(text.strip())
    if found is None or not float(found[1]) < 100:
        raise ConfigError(f"{option} {text}: write a share below 100 %, such as 20%")
    return float(found[1]) / 100


def multiples(texts: Sequence[str]) -> tuple[float, ...]:
    """Of ``--at 1.5x``, with the load itself. Raises ConfigError."""
    found = [1.0]
    for text in texts:
        read = _TIMES.fullmatch(text.strip())
        if read is None or not 0 < float(read[1]) <= 10:
            raise ConfigError(f"--at {text}: write how many times the load, up to 10x: 1.5x")
        found.append(float(read[1]))
    return tuple(sorted(set(found)))


def budget_of(replicas: str | None, connections: int | None, surge: float) -> Budget | None:
    """None where neither is given. Raises ConfigError for one without the other."""
    if replicas is None and connections is None:
        return None
    if replicas is None or connections is None:
        raise ConfigError("--replicas MIN..MAX and --max-connections N go together")
    low, high = numbers("--replicas", replicas, "2..5")
    if not (low.is_integer() and high.is_integer() and 1 <= low <= high):
        raise ConfigError(f"--replicas {replicas}: whole numbers, the first at most the second")
    return Budget(int(low), int(high), connections, surge)

"""What phases of a profile tell the services: checked before anything starts."""

from collections.abc import Mapping
from typing import Any

from harness.scene.services import named_services
from mock_services.table import SERVICES
from recording.errors import ConfigError
from recording.load import Load, Phase
from recording.profile_file import KeyPath, build
from recording.written import Written, as_written

Tables = Mapping[str, Mapping[str, Any]]


def check_phases(load: Load, settings: Tables, where: Written | str) -> None:
    """``settings`` is what the services are told at their start.

    Raises ConfigError naming the key and the nearest known one, or for a setting that only counts
    at the start of a service.
    """
    told = {name: dict(table) for name, table in settings.items()}
    for number, phase in enumerate(load.phases):
        path: KeyPath = ("load", "phases", number, "services")
        for name, table in named_services(phase.services, where, path).items():
            schema = SERVICES[name].settings
            build(schema, _over(told[name], table), where, (*path, _as_written(phase, name)))
            if fixed := sorted(schema.FIXED_WHILE_RUNNING & set(table)):
                at = as_written(where, {}).where((*path, name))
                raise ConfigError(
                    f"{at}: {phase.name}: services.{name}.{fixed[0]} cannot be changed while "
                    "the service runs"
                )
            told[name] = _over(told[name], table)


def _over(before: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """What is told laid over what was; of latencies endpoint by endpoint."""
    latency = {**before.get("latency", {}), **table.get("latency", {})}
    return {**before, **table, **({"latency": latency} if latency else {})}


def _as_written(phase: Phase, key: str) -> str:
    """The name that a service has in the phase."""
    return next(name for name in phase.services if name.replace("-", "_") == key)

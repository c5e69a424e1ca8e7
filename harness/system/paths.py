"""Where profiles and thresholds are found: what a shop keeps here for us, the current folder's,
those that came along.
"""

import os
from pathlib import Path

from recording.errors import ConfigError, did_you_mean

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = PROJECT / "loadgate_command.py"
"""What `loadgate` runs. As a script it has our packages first; ``-m`` has the current folder's."""
_PACKED = Path(__file__).resolve().parents[1] / "shipped"
SHIPPED = _PACKED if _PACKED.is_dir() else PROJECT
"""Has profiles/ and thresholds.toml; an installed wheel carries them inside of this package."""
OWN_FOLDER = "loadgate"
"""What a shop keeps for us in its repository: profiles, limits and users (`loadgate init`)."""
OWN_PROFILE = "shop"
"""The profile there that `loadgate run` runs where none is named."""
_LIMITS = "thresholds.toml"
_NOT_FOR_US = (
    "LOCUST_", "LOADGATE_TOKEN", "LOADGATE_PROMETHEUS_TOKEN", "LOADGATE_METRICS_TOKEN"
)  # fmt: skip


def environment_of(project: Path = PROJECT) -> dict[str, str]:
    """Our environment, for a Python process that is to find the packages of this project first.

    It starts in that folder too: ``python -m`` looks there before anywhere else. Locust's own
    variables would change a run, the workers' token is for Locust alone, and those that open
    metrics are for us.
    """
    paths = [str(project), *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_FOR_US)}
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}


def find_profile(name: str) -> Path:
    """``smoke`` → ``profiles/smoke.toml``; anything with a slash or ``.toml`` is a path.

    Raises ConfigError listing the profiles there are.
    """
    given = Path(name)
    if given.suffix == ".toml" or len(given.parts) > 1:
        return given
    for folder in _folders():
        if (found := folder / f"{name}.toml").exists():
            return found
    raise ConfigError(f"no profile {name!r} in profiles/{did_you_mean(name, profile_names())}")


def own_profile() -> str:
    """What to run where nobody named a profile. Raises ConfigError where nothing is here for us."""
    if has_own_profile():
        return OWN_PROFILE
    raise ConfigError(
        "PROFILE is missing: name one, such as smoke; in a shop's repository `loadgate init` "
        "writes one for it"
    )


def own_profile_or(shipped: str) -> str:
    """The same of what needs no profile of a shop: in its repository its own, and not our mocks."""
    return OWN_PROFILE if has_own_profile() else shipped


def has_own_profile() -> bool:
    """Whether we are in the repository of a shop that has one."""
    return (Path(OWN_FOLDER) / f"{OWN_PROFILE}.toml").exists()


def profile_names() -> list[str]:
    """Of all that `find_profile` finds."""
    found = (path for folder in _folders() for path in folder.glob("*.toml"))
    return sorted({path.stem for path in found if path.name != _LIMITS})


def _folders() -> tuple[Path, ...]:
    return Path(OWN_FOLDER), Path("profiles"), SHIPPED / "profiles"


def find_thresholds(given: Path | None) -> Path:
    """The file given, else ``thresholds.toml`` of a shop's own folder or here, else the one that
    came along.
    """
    if given is not None:
        return given
    here = (Path(OWN_FOLDER) / _LIMITS, Path(_LIMITS))
    return next((path for path in here if path.exists()), SHIPPED / _LIMITS)

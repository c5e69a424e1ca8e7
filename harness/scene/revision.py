"""What another revision's mocks are, asked of its own files: services, settings, endpoints."""

import json
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.scene.services import START_TIMEOUT_S, Origin
from harness.system.paths import PROJECT, environment_of
from mock_services.table import SERVICES
from recording.errors import ConfigError
from recording.flow import FLOW, Service, Services
from recording.profile_file import key_path
from recording.slots import Arm

LOCK = "requirements.lock"
# Run in the other revision's files; those from before the table have a module of settings.
ASK = """
import json
try:
    from mock_services.table import SERVICES
    mocks = {key: (mock.subject, mock.settings) for key, mock in SERVICES.items()}
except ImportError:
    from mock_services.settings import MODELS, SUBJECTS
    mocks = {key: (SUBJECTS[key], settings) for key, settings in MODELS.items()}
print(json.dumps({
    key: [subject, list(settings.model_fields), list(settings.DEFAULT_LATENCY)]
    for key, (subject, settings) in mocks.items()
}))
"""


@dataclass(frozen=True, slots=True)
class Mock:
    """What reports call it, what it can be told, and which endpoints it has."""

    subject: str
    settings: Collection[str]
    endpoints: Collection[str]


@dataclass(frozen=True, slots=True)
class Revision:
    """The files of a revision, and its mocks by key."""

    name: str
    folder: Path
    mocks: Mapping[str, Mock]

    def origin(self, arm: Arm) -> Origin:
        """Of services that run its code."""
        subjects = {key: mock.subject for key, mock in self.mocks.items()}
        return Origin(self.folder, arm, subjects, {k: m.settings for k, m in self.mocks.items()})

    @property
    def services(self) -> Services:
        """Its services, and the steps of this tree's load that they have endpoints for."""
        calls = {step: FLOW.calls(step) for step in FLOW.steps if FLOW.calls(step)}
        there = {mock.subject for mock in self.mocks.values()}
        rows = []
        for key, mock in self.mocks.items():
            steps = tuple(step for step in FLOW.steps if step in mock.endpoints)
            own = {s: calls[s] for s in steps if s in calls and there.issuperset(calls[s])}
            rows.append(Service(key=key, subject=mock.subject, steps=steps, calls=own))
        return FLOW if tuple(rows) == FLOW.all else Services(tuple(rows), FLOW.order)

    def as_known(
        self, settings: Mapping[str, Mapping[str, Any]], overrides: Sequence[str]
    ) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
        """The settings that its mocks know, and what is to be said of it.

        Raises ConfigError where it does not know a setting asked for by name.
        """
        named = {tuple(key_path(text.partition("=")[0])[1:3]) for text in overrides}
        kept: dict[str, dict[str, Any]] = {name: {} for name in self.mocks}
        notes = list(self._notes())
        for name, own in settings.items():
            known = self.mocks[name].settings if name in self.mocks else ()
            strange = sorted({*own} - {*known})
            for key in strange:
                if (name, key) in named:
                    at = f"services.{name}.{key}"
                    raise ConfigError(f"revision {self.name[:10]}: does not know {at}")
            if name in self.mocks:
                without = f"its mocks do not know services.{name}.{{}}, so it ran without"
                notes += [without.format(key) for key in strange]
                kept[name] = {key: value for key, value in own.items() if key in known}
        return kept, tuple(notes)

    def _notes(self) -> Iterator[str]:
        if _pins(self.folder) != _pins(PROJECT):
            yield f"its {LOCK} is another one, and it ran on the packages installed here"
        for subject in FLOW.subjects:
            if subject not in self.services.subjects:
                yield f"it has no {subject}, so it ran without"
        for step in FLOW.steps:
            if step not in self.services.steps:
                yield f"its mocks have no {step}, so its users leave it out"


def asked(folder: Path, arm: Arm, name: str) -> Revision:
    """The revision whose files are in a folder.

    One that cannot be asked is taken for what this tree is, and its services will have to say.
    Raises ConfigError where it has no mocks.
    """
    if not (folder / "mock_services" / "serve.py").exists():
        raise ConfigError(f"revision {name}: has no mock_services/serve.py to start")
    ours = {
        key: Mock(mock.subject, mock.settings.model_fields, mock.settings.DEFAULT_LATENCY)
        for key, mock in SERVICES.items()
    }
    found = {key: Mock(*row) for key, row in _answer(folder, arm, name).items()}
    return Revision(name, folder, found or ours)


def _answer(folder: Path, arm: Arm, name: str) -> dict[str, list[Any]]:
    """Empty where there is none."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", ASK],
            cwd=folder,
            env=environment_of(folder),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=START_TIMEOUT_S,
            check=False,
        )
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {}
    except subprocess.TimeoutExpired:
        raise ConfigError(
            f"--{arm} revision {name[:10]}: its mock_services took more than "
            f"{START_TIMEOUT_S:.0f} s to import"
        ) from None
    except ValueError:
        return {}  # it prints something else as well


def _pins(folder: Path) -> list[str]:
    """The versions that its lock file pins, whatever digests and reasons stand beside them."""
    try:
        text = (folder / LOCK).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line.rstrip(" \\") for line in text.splitlines() if line[:1].isalnum()]

"""The command that records a run once more, as it was or changed in one thing."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath

from recording.manifest import ArmFacts, Manifest
from recording.slots import ARMS

KEPT = ("--thresholds", "--workers-expected", "--bind", "--port")
"""Options of the command that stand for themselves; all others are in the manifest."""
FLAGS = ("--allow-equal", "--mocks")
"""Those that do and take no value."""
WHOM_IT_LOADS = ("scenario.", "target.", "arm.", "metrics.")
"""Beginnings of overrides without which it would be another shop's run."""
DIGITS = 12
"""Of a revision."""


def again(manifest: Manifest, *more: str, seeded: bool = True) -> str:
    """As words for a shell, with `more` at the end; "" for what no `loadgate` recorded.

    Services of a run with the same seed draw the same latencies once more.
    """
    if manifest.source != "loadgate":
        return ""
    said = _words(manifest.command)
    if manifest.search is not None:
        words = [*(_lacking(said, more[0]) if more else said), *more]
    else:
        kept = [word for option in KEPT for word in _given(said, option)]
        words = [
            *(_gate(manifest, said) if manifest.paired else _run(manifest, said)),
            *kept,
            *(flag for flag in FLAGS if flag in said),
            *more,
        ]
    seed = manifest.seed if manifest.paired is None else manifest.paired.seed
    if seeded and seed is not None and not _given(words, "--seed"):
        words += ["--seed", str(seed)]
    return shlex.join(["loadgate", *words])


def without_overrides(manifest: Manifest, *, seeded: bool = True) -> str:
    """The same, without what was set for this run alone, but for whom it loads; "" where that is
    no other run.
    """
    kept = tuple(text for text in manifest.overrides if text.startswith(WHOM_IT_LOADS))
    other = manifest.model_copy(update={"overrides": kept})
    return again(other, seeded=seeded) if len(kept) < len(manifest.overrides) else ""


def run_with(manifest: Manifest, overrides: Iterable[str]) -> str:
    """A run of the profile of a search, changed in what it found."""
    told = [word for text in overrides for word in ("--set", text)]
    return shlex.join(["loadgate", *_run(manifest, _words(manifest.command)), *told])


def _run(manifest: Manifest, said: Sequence[str]) -> Iterator[str]:
    yield from ("run", _profile(manifest, said))
    for text in manifest.overrides:
        yield from ("--set", text)


def _gate(manifest: Manifest, said: Sequence[str]) -> Iterator[str]:
    paired = manifest.paired
    assert paired is not None
    yield "gate"
    for arm in ARMS:
        facts = paired.facts_of(arm)
        yield from (f"--{arm}", _arm(facts))
        for text in facts.overrides:
            yield from (f"--{arm}-set", text)
    if (profile := _profile(manifest, said)) != "gate":
        yield from ("--profile", profile)
    for text in manifest.overrides:
        yield from ("--set", text)
    if paired.same_draws:
        yield "--same-draws"


def _arm(facts: ArmFacts) -> str:
    """By its revision, which stays what it is; a changed tree has no name but its place."""
    return f"ref:{facts.revision[:DIGITS]}" if facts.revision and not facts.dirty else facts.what


def _profile(manifest: Manifest, said: Sequence[str]) -> str:
    """As it was given: a name, or the path of a file."""
    name = manifest.profile.name
    files = (word for word in said if PurePath(word).name == f"{name}.toml")
    return next(files, name)


def _given(words: Sequence[str], option: str) -> list[str]:
    """The option and its value as they stand among words; empty where they do not."""
    for at, word in enumerate(words):
        if word == option:
            return list(words[at : at + 2])
        if word.startswith(f"{option}="):
            return [word]
    return []


def _lacking(words: Sequence[str], option: str) -> list[str]:
    """The words without an option and its value."""
    given, left = _given(words, option), list(words)
    at = next(i for i in range(len(left)) if left[i : i + len(given)] == given)
    return left[:at] + left[at + len(given) :]


def _words(command: str) -> list[str]:
    """Recordings of before hold words that no shell has quoted."""
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()

"""Builds the kustomizations without kubectl, as far as they use it; all else is refused.

Where kubectl is installed, a test holds this against the real thing.
"""

from __future__ import annotations

import copy
import functools
import operator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
BASE = K8S / "base"
OVERLAY = K8S / "overlays" / "lt-2025-q3"
SHOP = K8S / "overlays" / "shop"
FETCH = K8S / "fetch"
TEST_DATA = K8S / "test-data"
BUILDS = (BASE, OVERLAY, SHOP, FETCH, TEST_DATA)
"""Base and overlays are several kustomizations each: services, what a load needs, the load."""
KUSTOMIZATION = "kustomization.yaml"
FIELDS = {"apiVersion", "kind", "resources", "replicas", "patches"}

Document = dict[str, Any]
Key = tuple[str, str, str]


def documents(path: Path) -> list[Document]:
    """Every object in a file."""
    return [one for one in yaml.safe_load_all(path.read_text()) if one is not None]


def kustomization(folder: Path) -> Document:
    """A folder's kustomization; a field this module does not know is an error."""
    (found,) = documents(folder / KUSTOMIZATION)
    unknown = set(found) - FIELDS
    assert not unknown, f"{folder}: {unknown} not understood here"
    return found


def key(document: Document) -> Key:
    """What names an object in a cluster."""
    metadata = document["metadata"]
    return document["kind"], metadata.get("namespace", ""), metadata["name"]


def build(folder: Path) -> list[Document]:
    """What `kubectl apply -k` of a folder, or of each folder in it, would send."""
    if not (folder / KUSTOMIZATION).exists():
        return [one for below in sorted(folder.iterdir()) for one in build(below)]
    given = kustomization(folder)
    built = [one for name in given.get("resources", []) for one in _resource(folder / name)]
    for count in given.get("replicas", []):
        (target,) = [
            one
            for one in built
            if one["kind"] == "Deployment" and one["metadata"]["name"] == count["name"]
        ]
        target["spec"]["replicas"] = count["count"]
    for entry in given.get("patches", []):
        if "target" in entry:
            _operate(built, entry["target"], folder / entry["path"])
            continue
        for patch in documents(folder / entry["path"]):
            (index,) = [i for i, one in enumerate(built) if key(one) == key(patch)]
            built[index] = merge(built[index], patch)
    return built


def _resource(path: Path) -> list[Document]:
    return build(path) if path.is_dir() else documents(path)


def _operate(built: list[Document], target: Document, path: Path) -> None:
    """JSON Patch (RFC 6902) on all objects of a kind, or on the one of a name."""
    assert set(target) <= {"kind", "name"}, f"{path}: {target} not understood here"
    alike = of_kind(built, target["kind"])
    chosen = [one for one in alike if target.get("name", key(one)[2]) == key(one)[2]]
    assert chosen, f"{path}: {target} is not there"
    for one in chosen:
        for operation in yaml.safe_load(path.read_text()):
            *above, last = [_step(step) for step in operation["path"].split("/")[1:]]
            place = functools.reduce(operator.getitem, above, one)
            known = last in place if isinstance(place, dict) else last < len(place)
            assert known is (operation["op"] != "add"), f"{path}: {operation}"
            if operation["op"] == "remove":
                del place[last]
            else:
                place[last] = copy.deepcopy(operation["value"])


def _step(text: str) -> Any:
    """A key or an index of a JSON Pointer (RFC 6901)."""
    return int(text) if text.isdecimal() else text.replace("~1", "/").replace("~0", "~")


def merge(base: Any, patch: Any) -> Any:
    """Strategic merge: tables by key (null removes), lists of named entries by name, else all."""
    if isinstance(base, dict) and isinstance(patch, dict):
        merged = {k: merge(base[k], v) if k in base else v for k, v in patch.items()}
        kept = {k: v for k, v in {**base, **merged}.items() if v is not None}
        return copy.deepcopy(kept)
    if _named(base) and _named(patch):
        by_name = {entry["name"]: entry for entry in base}
        for entry in patch:
            name = entry["name"]
            by_name[name] = merge(by_name[name], entry) if name in by_name else entry
        return list(by_name.values())
    return patch


def _named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(e, dict) and "name" in e for e in value)


def of_kind(built: list[Document], *kinds: str) -> list[Document]:
    """The objects of these kinds."""
    return [one for one in built if one["kind"] in kinds]


def named(built: list[Document], kind: str, name: str) -> Document:
    """The one object of this kind and name."""
    (found,) = [one for one in of_kind(built, kind) if one["metadata"]["name"] == name]
    return found


def pod_of(document: Document) -> Document:
    """The pod that a workload makes: its metadata and spec."""
    return document if document["kind"] == "Pod" else document["spec"]["template"]


def workloads(built: list[Document]) -> list[Document]:
    """Everything that makes pods."""
    return of_kind(built, "Deployment", "Job", "Pod")


def containers(built: list[Document]) -> list[Document]:
    """Every container of every workload."""
    return [c for one in workloads(built) for c in pod_of(one)["spec"]["containers"]]


def mocks(built: list[Document]) -> list[Document]:
    """The deployments of the four mocks."""
    return [one for one in workloads(built) if one["metadata"]["namespace"] == "staging-perf"]


def option(arguments: list[str], name: str) -> str:
    """The value after an option."""
    return arguments[arguments.index(name) + 1]

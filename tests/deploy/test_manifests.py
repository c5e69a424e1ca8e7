"""Every manifest against Kubernetes' own schemas, offline, and every kustomization complete."""

from __future__ import annotations

import copy
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from deploy_build import BASE, BUILDS, K8S, KUSTOMIZATION, OVERLAY, build, key, kustomization, named
from deploy_checks import SEED_KUBERNETES, schema_problem

FOLDERS = sorted(path.parent for path in K8S.rglob(KUSTOMIZATION))


@pytest.mark.parametrize("version", [SEED_KUBERNETES, kubernetes_validate.latest_version()])
@pytest.mark.parametrize("folder", BUILDS, ids=lambda folder: folder.name)
def test_every_object_keeps_the_schema(folder: Path, version: str) -> None:
    """No unknown field, no wrong type, nothing missing: on the seed's Kubernetes and the newest."""
    problems = {key(one): schema_problem(one, version) for one in build(folder)}
    assert {name: problem for name, problem in problems.items() if problem} == {}


def _unknown_field(deployment: dict[str, Any]) -> None:
    deployment["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}


def _wrong_type(deployment: dict[str, Any]) -> None:
    deployment["spec"]["replicas"] = "three"


def _missing(deployment: dict[str, Any]) -> None:
    del deployment["spec"]["selector"]


def _unknown_kind(deployment: dict[str, Any]) -> None:
    deployment["apiVersion"] = "apps/v1beta1"


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (_unknown_field, "readynessProbe"),
        (_wrong_type, "replicas: 'three'"),
        (_missing, "'selector' is a required property"),
        (_unknown_kind, "Couldn't find schema for kind Deployment"),
    ],
)
def test_a_broken_manifest_is_found(breaks: Any, says: str) -> None:
    """The validator names what is wrong; the same manifest unbroken passes."""
    deployment = named(build(BASE), "Deployment", "cart-service")
    assert schema_problem(deployment) is None
    broken = copy.deepcopy(deployment)
    breaks(broken)
    assert says in (schema_problem(broken) or "")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(K8S)))
def test_a_kustomization_lists_exactly_its_folder(folder: Path) -> None:
    """No manifest is forgotten, none is listed twice, none is missing."""
    given = kustomization(folder)
    listed = [*given.get("resources", []), *(patch["path"] for patch in given.get("patches", []))]
    here = {path.name for path in folder.iterdir()} - {KUSTOMIZATION}
    outside = [name for name in listed if name.startswith("..")]
    assert sorted(set(listed) - set(outside)) == sorted(here)
    assert len(listed) == len(set(listed))
    assert all((folder / name / KUSTOMIZATION).exists() for name in outside)


def test_every_folder_is_reached_from_a_build() -> None:
    """No kustomization lies about that no test looks at."""
    assert all(folder in BUILDS or folder.parent in BUILDS for folder in FOLDERS)


@pytest.mark.parametrize("folder", BUILDS, ids=lambda folder: folder.name)
def test_no_object_is_there_twice(folder: Path) -> None:
    """Kind, namespace and name are unique."""
    keys = [key(one) for one in build(folder)]
    assert len(keys) == len(set(keys))


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(K8S)))
def test_kubectl_builds_the_same(folder: Path) -> None:
    """`kubectl kustomize` (which asks no cluster) and the builder of these tests agree."""
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "KUBECONFIG": os.devnull},
    )
    theirs = {key(one): one for one in yaml.safe_load_all(done.stdout)}
    assert theirs == {key(one): one for one in build(folder)}


def test_the_overlay_has_the_seeds_replicas() -> None:
    """LT-2025-Q3-CHECKOUT: checkout 6, payment 4, cart 3, inventory-lock 2 of at most 5."""
    built = build(OVERLAY)
    names = ("checkout-service", "payment-gateway", "cart-service")
    replicas = [named(built, "Deployment", name)["spec"]["replicas"] for name in names]
    assert replicas == [6, 4, 3]
    scaler = named(built, "HorizontalPodAutoscaler", "inventory-lock-service")["spec"]
    cpu = scaler["metrics"][0]["resource"]["target"]["averageUtilization"]
    assert (scaler["minReplicas"], scaler["maxReplicas"], cpu) == (2, 5, 80)

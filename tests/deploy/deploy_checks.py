"""What must hold between objects. Each check returns a line per problem; none is good."""

from __future__ import annotations

from collections.abc import Iterator

import kubernetes_validate
from deploy_build import Document, containers, key, named, of_kind, pod_of, workloads

MADE_BY_HAND = ("loadgate-token", "shop-admin")
"""Secrets, which are nobody's to commit: docs/deploy.md makes them."""
SEED_KUBERNETES = "1.28"
"""LT-2025-Q3-CHECKOUT ran on 1.28.4."""


def schema_problem(document: Document, version: str = SEED_KUBERNETES) -> str | None:
    """Where the document breaks Kubernetes' own schema, unknown fields included; else None."""
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError as error:
        return str(error.message)
    return None


def selector_problems(built: list[Document]) -> Iterator[str]:
    """A deployment must select its own pods, a service exactly one workload's."""
    for one in of_kind(built, "Deployment"):
        if not _selects(one["spec"]["selector"]["matchLabels"], one):
            yield f"{key(one)} does not select its own pods"
    for service in of_kind(built, "Service"):
        chosen = _behind(built, service)
        if len(chosen) != 1:
            yield f"{key(service)} selects {len(chosen)} workloads"


def port_problems(built: list[Document]) -> Iterator[str]:
    """A service's target port must be a port of the container behind it, by name."""
    for service in of_kind(built, "Service"):
        for workload in _behind(built, service):
            there = {
                port["name"]: port["containerPort"]
                for container in pod_of(workload)["spec"]["containers"]
                for port in container["ports"]
            }
            for port in service["spec"]["ports"]:
                if there.get(port["targetPort"]) != port["port"]:
                    yield f"{key(service)} port {port['port']} does not reach one of {there}"


def reference_problems(built: list[Document]) -> Iterator[str]:
    """Namespaces, claims, config maps and what an autoscaler scales must be there."""
    there = {key(one) for one in built}
    for one in built:
        for wanted in _references(one):
            if wanted not in there:
                yield f"{key(one)} refers to {wanted}, which is not there"


def disruption_problems(built: list[Document]) -> Iterator[str]:
    """Every pod is kept by one budget, which lets none go. Of a Job's pods it names the number."""
    for workload in of_kind(built, "Deployment", "Job"):
        none_goes = (
            {"maxUnavailable": 0}
            if workload["kind"] == "Deployment"
            else {"minAvailable": pods(workload)}
        )
        over = [
            budget["spec"]
            for budget in of_kind(built, "PodDisruptionBudget")
            if budget["metadata"]["namespace"] == workload["metadata"]["namespace"]
            and _selects(budget["spec"]["selector"].get("matchLabels", {}), workload)
        ]
        if len(over) != 1 or not none_goes.items() <= over[0].items():
            yield f"{key(workload)} may be evicted: {over}"


def pods(job: Document) -> int:
    """How many a Job has at a time."""
    return int(job["spec"].get("parallelism", 1))


def autoscaler_problems(built: list[Document]) -> Iterator[str]:
    """CPU utilisation is a share of the request: without one an autoscaler never scales.

    Who says a number of replicas beside it undoes its scaling with every `apply`.
    """
    for scaler in of_kind(built, "HorizontalPodAutoscaler"):
        spec = scaler["spec"]
        target = named(built, spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"])
        if "replicas" in target["spec"]:
            yield f"{key(target)} has replicas of its own beside {key(scaler)}"
        for container in pod_of(target)["spec"]["containers"]:
            if "cpu" not in container["resources"].get("requests", {}):
                yield f"{key(target)} {container['name']} requests no cpu"


def hardening_problems(built: list[Document]) -> Iterator[str]:
    """Pod Security Standard "restricted", a read-only root, no API token, bounded memory."""
    for one in workloads(built):
        spec = pod_of(one)["spec"]
        wanted = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        if not wanted.items() <= spec["securityContext"].items() or not spec["securityContext"].get(
            "runAsUser"
        ):
            yield f"{key(one)} may run as root or without seccomp"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{key(one)} gets an API token"
    for container in containers(built):
        context = container.get("securityContext", {})
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}
        if not wanted.items() <= context.items() or context.get("capabilities") != {
            "drop": ["ALL"]
        }:
            yield f"container {container['name']} {container['args']} can do too much"
        if "memory" not in container["resources"].get("limits", {}):
            yield f"container {container['name']} has no memory limit"


def _selects(labels: dict[str, str], workload: Document) -> bool:
    return labels.items() <= pod_of(workload)["metadata"].get("labels", {}).items()


def _behind(built: list[Document], service: Document) -> list[Document]:
    namespace = service["metadata"]["namespace"]
    return [
        one
        for one in workloads(built)
        if one["metadata"]["namespace"] == namespace and _selects(service["spec"]["selector"], one)
    ]


def _references(one: Document) -> Iterator[tuple[str, str, str]]:
    namespace = one["metadata"].get("namespace", "")
    if namespace:
        yield "Namespace", "", namespace
    if one["kind"] == "HorizontalPodAutoscaler":
        target = one["spec"]["scaleTargetRef"]
        yield target["kind"], namespace, target["name"]
    if one["kind"] in ("Deployment", "Job", "Pod"):
        for container in pod_of(one)["spec"]["containers"]:
            for entry in container.get("env", []):
                secret = entry.get("valueFrom", {}).get("secretKeyRef", {}).get("name")
                if secret and secret not in MADE_BY_HAND:
                    yield "Secret", namespace, secret
        for volume in pod_of(one)["spec"].get("volumes", []):
            if "configMap" in volume:
                yield "ConfigMap", namespace, volume["configMap"]["name"]
            if "persistentVolumeClaim" in volume:
                yield (
                    "PersistentVolumeClaim",
                    namespace,
                    volume["persistentVolumeClaim"]["claimName"],
                )

"""What the objects say to each other: selectors, ports, probes, references, commands."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from deploy_build import (
    BASE,
    BUILDS,
    FETCH,
    OVERLAY,
    ROOT,
    SHOP,
    TEST_DATA,
    Document,
    build,
    mocks,
    named,
    of_kind,
    option,
    pod_of,
)
from deploy_checks import (
    MADE_BY_HAND,
    autoscaler_problems,
    disruption_problems,
    hardening_problems,
    pods,
    port_problems,
    reference_problems,
    selector_problems,
)

from harness.generator.token import VARIABLE
from harness.verbs.cleanup import TOKEN_VARIABLE
from mock_services.serve import _parse
from mock_services.table import SERVICES

Check = Callable[[list[Document]], Iterator[str]]
CHECKS = (
    selector_problems,
    port_problems,
    reference_problems,
    autoscaler_problems,
    disruption_problems,
    hardening_problems,
)


def everything(folder: Path) -> list[Document]:
    """A build with what it is applied on top of."""
    return build(BASE) + build(folder) if folder in (FETCH, TEST_DATA) else build(folder)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("folder", BUILDS, ids=lambda folder: folder.name)
def test_no_problem(folder: Path, check: Check) -> None:
    """Every check holds for everything that can be applied."""
    assert list(check(everything(folder))) == []


def _spec(built: list[Document], name: str = "cart-service") -> Any:
    return pod_of(named(built, "Deployment", name))["spec"]


def _other_labels(built: list[Document]) -> None:
    pod_of(named(built, "Deployment", "cart-service"))["metadata"]["labels"]["app"] = "basket"


def _two_behind_one(built: list[Document]) -> None:
    named(built, "Service", "cart-service")["spec"]["selector"] = {
        "sidecar.istio.io/inject": "false"
    }


def _other_port(built: list[Document]) -> None:
    _spec(built)["containers"][0]["ports"][0]["containerPort"] = 8005


def _no_claim(built: list[Document]) -> None:
    built.remove(named(built, "PersistentVolumeClaim", "runs"))


def _no_namespace(built: list[Document]) -> None:
    built.remove(named(built, "Namespace", "load-test"))


def _no_target(built: list[Document]) -> None:
    built.remove(named(built, "Deployment", "inventory-lock-service"))


def _own_replicas(built: list[Document]) -> None:
    named(built, "Deployment", "inventory-lock-service")["spec"]["replicas"] = 2


def _no_budget(built: list[Document]) -> None:
    built.remove(named(built, "PodDisruptionBudget", "mocks"))


def _one_may_go(built: list[Document]) -> None:
    named(built, "PodDisruptionBudget", "locust-worker")["spec"]["minAvailable"] = 2


def _no_request(built: list[Document]) -> None:
    del _spec(built, "inventory-lock-service")["containers"][0]["resources"]["requests"]["cpu"]


def _root(built: list[Document]) -> None:
    _spec(built)["securityContext"]["runAsNonRoot"] = False


def _capabilities(built: list[Document]) -> None:
    del _spec(built)["containers"][0]["securityContext"]["capabilities"]


def _no_limit(built: list[Document]) -> None:
    del _spec(built)["containers"][0]["resources"]["limits"]


@pytest.mark.parametrize(
    ("breaks", "check"),
    [
        (_other_labels, selector_problems),
        (_two_behind_one, selector_problems),
        (_other_port, port_problems),
        (_no_claim, reference_problems),
        (_no_namespace, reference_problems),
        (_no_target, reference_problems),
        (_no_request, autoscaler_problems),
        (_own_replicas, autoscaler_problems),
        (_no_budget, disruption_problems),
        (_one_may_go, disruption_problems),
        (_root, hardening_problems),
        (_capabilities, hardening_problems),
        (_no_limit, hardening_problems),
    ],
)
def test_a_break_is_found(breaks: Callable[[list[Document]], None], check: Check) -> None:
    """Each check sees the kind of mistake that it is there for."""
    built = copy.deepcopy(build(OVERLAY))
    breaks(built)
    assert list(check(built))


@pytest.mark.parametrize("folder", [BASE, OVERLAY], ids=lambda folder: folder.name)
def test_each_mock_is_started_once_on_its_own_port(folder: Path) -> None:
    """serve.py takes the arguments; service, host and port are those of the manifest."""
    started = {}
    for deployment in mocks(build(folder)):
        (container,) = pod_of(deployment)["spec"]["containers"]
        arguments = _parse(container["args"])
        (port,) = container["ports"]
        assert arguments.host == "0.0.0.0"
        assert arguments.port == port["containerPort"]
        assert deployment["metadata"]["name"] == SERVICES[arguments.service].subject
        started[arguments.service] = arguments.port
    assert len(started) == len(mocks(build(folder))) >= 4
    assert started.items() <= {name: mock.port for name, mock in SERVICES.items()}.items()


@pytest.mark.parametrize("folder", [BASE, OVERLAY], ids=lambda folder: folder.name)
def test_each_mock_is_probed(folder: Path) -> None:
    """Start, readiness and life are asked of /healthz on the port it listens on."""
    for deployment in mocks(build(folder)):
        (container,) = pod_of(deployment)["spec"]["containers"]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"] == {"path": "/healthz", "port": "http"}
        assert container["ports"][0]["name"] == "http"


@pytest.mark.parametrize("folder", [BASE, OVERLAY], ids=lambda folder: folder.name)
def test_the_mocks_accept_their_settings(folder: Path) -> None:
    """MOCK_SETTINGS passes the mocks' own schema, and checkout finds the lock service."""
    built = build(folder)
    told = {}
    for deployment in mocks(built):
        (container,) = pod_of(deployment)["spec"]["containers"]
        environment = {entry["name"]: entry["value"] for entry in container.get("env", [])}
        assert set(environment) <= {"MOCK_SETTINGS"}
        service = container["args"][0]
        settings = json.loads(environment.get("MOCK_SETTINGS", "{}"))
        told[service] = SERVICES[service].settings.model_validate(settings)
    lock = named(built, "Service", "inventory-lock-service")
    address = f"{lock['metadata']['name']}.{lock['metadata']['namespace']}.svc.cluster.local"
    checkout: Any = told["checkout"]
    assert checkout.inventory_lock_url == f"http://{address}:{lock['spec']['ports'][0]['port']}"


def test_base_runs_one_process_of_each_mock() -> None:
    """Their state is in memory, and /metrics is one process's: more than one would share none."""
    replicas = {one["metadata"]["name"]: one["spec"]["replicas"] for one in mocks(build(BASE))}
    assert set(replicas.values()) == {1}
    assert of_kind(build(BASE), "HorizontalPodAutoscaler") == []


def test_several_pods_are_only_asked_for_what_they_can_do() -> None:
    """In the overlay checkout sticks to a client, and no lock waits for a release elsewhere."""
    built = build(OVERLAY)
    assert named(built, "Service", "checkout-service")["spec"]["sessionAffinity"] == "ClientIP"
    (lock,) = pod_of(named(built, "Deployment", "inventory-lock-service"))["spec"]["containers"]
    assert json.loads(lock["env"][0]["value"])["hold"] == "transaction"


def test_the_pods_share_of_the_processor_adds_up() -> None:
    """payment's pods together have the pool (100) and the rate limit (200/s) of the whole."""
    gateway = named(build(OVERLAY), "Deployment", "payment-gateway")
    (container,) = pod_of(gateway)["spec"]["containers"]
    settings = json.loads(container["env"][0]["value"])
    whole: Any = SERVICES["payment"].settings()
    pods = gateway["spec"]["replicas"]
    assert pods * settings["pool_max"] == whole.pool_max
    assert pods * settings["rate_limit_per_s"] == whole.rate_limit_per_s


def _locust(folder: Path = BASE) -> tuple[list[str], Document]:
    built = build(folder)
    (master,) = pod_of(named(built, "Job", "locust-master"))["spec"]["containers"]
    return master["args"], named(built, "Job", "locust-worker")


LOADS = [BASE, OVERLAY, SHOP]


@pytest.mark.parametrize("folder", LOADS, ids=lambda folder: folder.name)
def test_the_master_expects_the_workers_there_are(folder: Path) -> None:
    """--workers-expected is the number of worker pods, each of which ends with the run."""
    arguments, workers = _locust(folder)
    assert int(option(arguments, "--workers-expected")) == pods(workers)
    assert workers["spec"]["completions"] == pods(workers)
    assert pod_of(workers)["spec"]["restartPolicy"] == "Never"


@pytest.mark.parametrize(
    ("folder", "namespace", "how"),
    [(BASE, "staging-perf", "preferred"), (OVERLAY, "staging-perf", "required"),
     (SHOP, "shop", "preferred")],
    ids=lambda value: getattr(value, "name", value),
)  # fmt: skip
def test_the_load_keeps_away_from_what_it_loads(folder: Path, namespace: str, how: str) -> None:
    """By node, from every pod of that namespace, and it may reach no other."""
    built = build(folder)
    there = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    for name in ("locust-master", "locust-worker"):
        (terms,) = pod_of(named(built, "Job", name))["spec"]["affinity"].values()
        ((said, (term,)),) = terms.items()
        assert said == f"{how}DuringSchedulingIgnoredDuringExecution"
        term = term.get("podAffinityTerm", term)
        assert term["topologyKey"] == "kubernetes.io/hostname"
        assert (term["namespaceSelector"], term["labelSelector"]) == (there, {})
    for name in ("master", "workers"):
        policy = named(built, "NetworkPolicy", name)["spec"]
        assert policy["egress"][0] == {"to": [{"namespaceSelector": there}]}


def test_the_workers_find_the_master() -> None:
    """The master listens for other pods; the workers call its service, on Locust's port."""
    arguments, workers = _locust()
    (worker,) = pod_of(workers)["spec"]["containers"]
    service = named(build(BASE), "Service", option(worker["args"], "--master"))
    assert option(arguments, "--bind") == "0.0.0.0"
    assert service["metadata"]["namespace"] == workers["metadata"]["namespace"]
    assert [port["port"] for port in service["spec"]["ports"]] == [5557, 5558]
    assert service["spec"]["publishNotReadyAddresses"] is True


def test_a_verdict_is_not_retried() -> None:
    """FAIL is an exit code: a Job that starts again would replace evidence by luck."""
    job = named(build(BASE), "Job", "locust-master")
    assert job["spec"]["backoffLimit"] == 0
    assert pod_of(job)["spec"]["restartPolicy"] == "Never"


def test_recordings_outlive_the_master() -> None:
    """--runs is on the claim, and the pod that copies them mounts the same claim."""
    arguments, _ = _locust()
    for one in (
        named(build(BASE), "Job", "locust-master"),
        named(build(FETCH), "Pod", "run-results"),
    ):
        spec = pod_of(one)["spec"]
        (volume,) = [v for v in spec["volumes"] if "persistentVolumeClaim" in v]
        mounts = {m["name"]: m["mountPath"] for m in spec["containers"][0]["volumeMounts"]}
        assert volume["persistentVolumeClaim"]["claimName"] == "runs"
        assert mounts[volume["name"]] == option(arguments, "--runs")


def test_master_and_workers_share_one_token() -> None:
    """From a Secret that is made by hand."""
    built = build(BASE)
    for name in ("locust-master", "locust-worker"):
        (container,) = pod_of(named(built, "Job", name))["spec"]["containers"]
        (entry,) = container["env"]
        assert entry["name"] == VARIABLE
        assert entry["valueFrom"]["secretKeyRef"] == {"name": "loadgate-token", "key": "token"}


def test_no_secret_is_committed() -> None:
    """Nor a placeholder, which an `apply` would put back in its place: the runbook makes them."""
    assert [one for folder in BUILDS for one in of_kind(build(folder), "Secret")] == []
    runbook = (ROOT / "docs" / "deploy.md").read_text()
    assert all(f"create secret generic {name} " in runbook for name in MADE_BY_HAND)


def test_test_data_is_made_with_the_profile_of_the_run() -> None:
    """The pod finds profiles/ in its folder, and the token where seed and cleanup look for it."""
    spec = named(build(TEST_DATA), "Pod", "test-data")["spec"]
    (container,) = spec["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts["profiles"] == f"{container['workingDir']}/profiles"
    assert [entry["name"] for entry in container["env"]] == [TOKEN_VARIABLE]


def test_only_the_load_reaches_the_mocks_and_only_workers_the_master() -> None:
    """Policies select those pods; workers go nowhere but to master, services and names."""
    built = build(BASE)
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind(built, "NetworkPolicy")}
    (into,) = policies["master"]["ingress"]
    assert into["from"] == [{"podSelector": {"matchLabels": {"app": "locust-worker"}}}]
    assert [port["port"] for port in into["ports"]] == [5557, 5558]
    (mocks_in,) = policies["mocks"]["ingress"]
    load = {"matchLabels": {"kubernetes.io/metadata.name": "load-test"}}
    assert mocks_in["from"] == [{"namespaceSelector": load}, {"podSelector": {}}]
    names = [one["metadata"]["name"] for one in mocks(built)]
    ports = [named(built, "Service", name)["spec"]["ports"] for name in names]
    fixed = {port["port"] for of_one in ports for port in of_one}
    assert {port["port"] for port in mocks_in["ports"]} == fixed
    assert policies["mocks"]["podSelector"] == {}
    assert "ingress" not in policies["workers"]
    assert policies["workers"]["policyTypes"] == ["Ingress", "Egress"]
    to = [target for rule in policies["workers"]["egress"] for target in rule.get("to", ["names"])]
    services = {"matchLabels": {"kubernetes.io/metadata.name": "staging-perf"}}
    assert to == [
        {"namespaceSelector": services},
        {"podSelector": {"matchLabels": {"app": "locust-master"}}},
        "names",
    ]

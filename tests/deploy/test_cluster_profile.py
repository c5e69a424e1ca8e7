"""The profile in the ConfigMap: the plan of bf2025, aimed at the services of the cluster."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from deploy_build import BASE, OVERLAY, ROOT, SHOP, build, named, option, pod_of

from harness.scene.preflight import check_safety
from harness.scene.scene import target_urls
from harness.scene.services import service_settings
from mock_services.table import SERVICES
from recording.profile import Profile
from recording.profile_file import load_profile

NAME = "bf2025"
LOADS = [BASE, OVERLAY, SHOP]


def profile_in(folder: Path, tmp_path: Path) -> Profile:
    """The one profile there is, as the master would load it."""
    ((name, text),) = named(build(folder), "ConfigMap", "load-profile")["data"].items()
    path = tmp_path / name
    path.write_text(text)
    return load_profile(path)


@pytest.mark.parametrize("folder", [BASE, OVERLAY], ids=lambda folder: folder.name)
def test_it_is_the_plan_of_bf2025(folder: Path, tmp_path: Path) -> None:
    """All but target, judge and the mocks' settings equals profiles/bf2025.toml."""
    differ = {"target", "judge", "services", "description"}
    here = load_profile(ROOT / "profiles" / f"{NAME}.toml")
    there = profile_in(folder, tmp_path)
    assert there.model_dump(exclude=differ) == here.model_dump(exclude=differ)


@pytest.mark.parametrize("folder", LOADS, ids=lambda folder: folder.name)
def test_it_is_allowed_to_load_its_targets_and_no_others(folder: Path, tmp_path: Path) -> None:
    """The preflight passes, and the allow-list holds the targets' hosts only."""
    profile = profile_in(folder, tmp_path)
    check_safety(profile)
    hosts = {urlsplit(url).hostname for url in target_urls(profile).values()}
    assert hosts == set(profile.target.allowed_hosts)


def test_a_shops_services_are_in_the_namespace_that_its_load_may_reach(tmp_path: Path) -> None:
    """The urls' namespace is that of the network policies."""
    hosts = profile_in(SHOP, tmp_path).target.allowed_hosts
    reached = named(build(SHOP), "NetworkPolicy", "workers")["spec"]["egress"][0]["to"][0]
    (namespace,) = reached["namespaceSelector"]["matchLabels"].values()
    assert {host.partition(".")[2] for host in hosts} == {f"{namespace}.svc.cluster.local"}


@pytest.mark.parametrize("folder", [BASE, OVERLAY], ids=lambda folder: folder.name)
def test_its_targets_are_services_of_the_cluster(folder: Path, tmp_path: Path) -> None:
    """Each url is a service's full name and port."""
    target = profile_in(folder, tmp_path).target
    for name, url in {**target.reached, "inventory_lock": target.inventory_lock}.items():
        service = named(build(folder), "Service", SERVICES[name].subject)
        (port,) = service["spec"]["ports"]
        metadata = service["metadata"]
        host = f"{metadata['name']}.{metadata['namespace']}.svc.cluster.local"
        assert url == f"http://{host}:{port['port']}"


@pytest.mark.parametrize("folder", LOADS, ids=lambda folder: folder.name)
def test_orders_are_not_required_where_no_ledger_can_be_read(folder: Path, tmp_path: Path) -> None:
    """The master has no ledger, so requiring orders would make every run INCONCLUSIVE."""
    assert "orders" not in profile_in(folder, tmp_path).judge.required


def test_several_pods_are_no_evidence_of_pools_and_memory(tmp_path: Path) -> None:
    """Base decides both; the overlay, which samples one pod of several, neither."""
    assert set(profile_in(BASE, tmp_path).judge.required) == {"latency", "errors", "pool", "memory"}
    assert set(profile_in(OVERLAY, tmp_path).judge.required) == {"latency", "errors"}


def test_cart_is_told_what_the_profile_says() -> None:
    """The cluster's cart has the settings that bf2025 gives to a local one."""
    wanted = service_settings(load_profile(ROOT / "profiles" / f"{NAME}.toml").services, NAME)
    (cart,) = pod_of(named(build(BASE), "Deployment", "cart-service"))["spec"]["containers"]
    assert json.loads(cart["env"][0]["value"]) == wanted["cart"]
    assert cart["resources"]["limits"]["memory"] == "2Gi"
    assert wanted["cart"]["memory_limit_bytes"] == 2 * 1024**3


@pytest.mark.parametrize("folder", LOADS, ids=lambda folder: folder.name)
def test_the_master_finds_it(folder: Path, tmp_path: Path) -> None:
    """`loadgate run NAME` looks into profiles/ of its working directory first."""
    (master,) = pod_of(named(build(folder), "Job", "locust-master"))["spec"]["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in master["volumeMounts"]}
    assert option(master["args"], "run") == profile_in(folder, tmp_path).name
    assert mounts["profiles"] == f"{master['workingDir']}/profiles"


@pytest.mark.parametrize("folder", LOADS, ids=lambda folder: folder.name)
def test_the_job_has_time_for_the_plan(folder: Path, tmp_path: Path) -> None:
    """activeDeadlineSeconds is the plan's length and at least half an hour, but not a day, more."""
    limit_s = named(build(folder), "Job", "locust-master")["spec"]["activeDeadlineSeconds"]
    assert 1800 <= limit_s - profile_in(folder, tmp_path).load.duration_s <= 86_400

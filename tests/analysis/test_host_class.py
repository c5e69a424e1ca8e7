"""Which hosts count as alike."""

import pytest

from analysis.evidence.host import host_class, installed_gib

FACTS = {
    "system": "Linux",
    "machine": "x86_64",
    "kernel": "6.1.0-13-amd64",
    "cpu": "Intel(R) Xeon(R) CPU @ 2.20GHz",
    "cores": 2,
    "memory_bytes": 8_150_000_000,
    "load_average": [0.1, 0.2, 0.3],
}


def test_the_name_is_short_and_fit_for_a_file() -> None:
    """Processor, cores, memory, system and kernel's major version, in one word."""
    assert host_class(FACTS).name == "intel-xeon-2-20ghz-2c-8gb-linux6"


@pytest.mark.parametrize(
    "changed", [{"kernel": "6.8.1"}, {"memory_bytes": 8_190_000_000}, {"load_average": [9, 9, 9]}]
)
def test_what_does_not_matter_does_not_change_it(changed: dict[str, object]) -> None:
    """A kernel update, some reserved memory, or how busy the host was, is the same class."""
    assert host_class(FACTS | changed) == host_class(FACTS)


@pytest.mark.parametrize(
    "changed",
    [
        {"cores": 4},
        {"cpu": "AMD EPYC 7B12"},
        {"memory_bytes": 16e9},
        {"kernel": "5.15"},
        {"system": "Darwin"},
    ],
)
def test_what_moves_latencies_changes_it(changed: dict[str, object]) -> None:
    """Another processor, core count, memory size or kernel is another class."""
    assert host_class(FACTS | changed).name != host_class(FACTS).name


@pytest.mark.parametrize("missing", ["cores", "memory_bytes", "system", "kernel"])
def test_a_missing_fact_makes_the_class_unknown(missing: str) -> None:
    """An imported run that does not say where it ran is never alike another."""
    facts = {key: value for key, value in FACTS.items() if key != missing}
    assert not host_class(facts).known


def test_an_arm_processor_without_a_model_name_goes_by_its_machine() -> None:
    """Linux on ARM has no 'model name' line."""
    assert host_class(FACTS | {"cpu": "", "machine": "aarch64"}).name.startswith("aarch64-2c")


@pytest.mark.parametrize(
    ("reported_gib", "sold"), [(3.8, 4), (7.6, 8), (15.5, 16), (23.5, 24), (31.2, 32), (62.8, 64)]
)
def test_memory_is_the_size_that_was_sold(reported_gib: float, sold: float) -> None:
    """What the kernel keeps for itself does not make another class."""
    assert installed_gib(reported_gib * 2**30) == sold


@pytest.mark.parametrize("memory", [float("inf"), float("nan"), -1, 10**400, "x", None])
def test_a_size_that_is_none_makes_the_class_unknown(memory: object) -> None:
    """A manifest may hold anything."""
    assert not host_class(FACTS | {"memory_bytes": memory}).known

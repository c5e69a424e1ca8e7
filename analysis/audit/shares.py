"""A percentage is a part of a whole: of which one, and how much."""

from analysis.audit.finding import Kind, Relations, equal, number, percent
from analysis.published.figures import Figure
from analysis.published.intervals import total
from analysis.published.table import Answered, Published, Service, Total


def shares(table: Published) -> Relations:
    """Failure shares of every row, what totals call their whole, services by their endpoints."""
    for endpoint in table.endpoints:
        yield from _own(endpoint, endpoint.requests, endpoint.name)
    for whole in table.totals:
        yield from _own(whole, whole.of or whole.requests, "in total")
        yield from _of_which(table, whole)
    for service in table.services:
        yield from _own(service, service.requests, service.name)
        yield from _of_service(table, service)
    for it in table.shares:
        is_share = it.part / it.whole
        says = f"{it.what}: {it.part} of {it.whole} is {percent(is_share)}, not {it.share}"
        yield equal(Kind.SUMS, is_share, it.share, says, it.where)


def _own(row: Answered, whole: Figure | None, name: str) -> Relations:
    """The share that a row prints, by its own two numbers; success and failure make 100 %."""
    failed = row.failed_share()
    if failed is not None and row.failures is not None and whole is not None:
        share = row.failures / whole
        says = f"{name}: {row.failures} of {whole} is {percent(share)}, not {percent(failed)}"
        yield equal(Kind.ERRORS, share, failed, says, row.where)
    if row.failure_share is not None and row.success_share is not None:
        says = f"{name}: {row.success_share} and {row.failure_share} do not make 100 %"
        yield equal(Kind.ERRORS, 1.0 - row.success_share, row.failure_share, says, row.where)


def _of_which(table: Published, whole: Total) -> Relations:
    """Failures of all endpoints are a share of the requests to all of them, and of nothing less."""
    counted = [(it.failures, it.requests) for it in table.endpoints]
    if whole.of is None or whole.failures is None or table.partial or not counted:
        return
    failures = [failed for failed, _ in counted if failed is not None]
    requests = [sent for _, sent in counted if sent is not None]
    if len(failures) < len(counted) or len(requests) < len(counted):
        return
    if whole.failures.meets(total(failures)):
        sent = total(requests)
        says = (
            f"{whole.failures} failures are those of all {number(sent)} requests "
            f"({percent(whole.failures / sent)}), not of {whole.of}"
        )
        yield equal(Kind.ERRORS, whole.of, sent, says, whole.where)


def _of_service(table: Published, service: Service) -> Relations:
    """A service fails as its endpoints do, weighted with their requests."""
    failed, endpoints = service.failed_share(), table.of_service(service.name)
    counted = [(it.failures, it.requests) for it in endpoints]
    failures = [one for one, _ in counted if one is not None]
    requests = [one for _, one in counted if one is not None]
    if failed is None or not counted or len(failures) + len(requests) < 2 * len(counted):
        return
    share = total(failures) / total(requests)
    says = (
        f"{service.name}: its endpoints failed {number(total(failures))} of "
        f"{number(total(requests))} times, {percent(share)}, not {percent(failed)}"
    )
    yield equal(Kind.ERRORS, share, failed, says, service.where, endpoints[0].where)

"""What is said twice is one number: a figure in several places, bytes and the size beside them."""

from itertools import combinations

from analysis.audit.finding import Kind, Relation, Relations, equal, number
from analysis.published.figures import Figure
from analysis.published.intervals import hull
from analysis.published.table import Published

BINARY, DECIMAL = 1024, 1000
_POWERS = {"B": 0, "kB": 1, "KB": 1, "MB": 2, "GB": 3, "TB": 4}


def agreement(table: Published) -> Relations:
    """Stated places, pair by pair; sizes in binary units or decimal ones, whichever fits."""
    for same in table.same:
        for one, other in combinations(same.places, 2):
            says = f"{same.what}: {one.value} and {other.value}"
            yield equal(Kind.SERIES, one.value, other.value, says, one.where, other.where)
    for it in table.sizes:
        yield _size(it.bytes, it.printed, it.where)


def _size(given: Figure, printed: Figure, where: str) -> Relation:
    power = _POWERS[printed.unit]
    as_decimal = printed * (DECIMAL / BINARY) ** power
    readings = given * (1 / BINARY**power), given * (1 / DECIMAL**power)
    binary, decimal = (f"{number(value)} {printed.unit}" for value in readings)
    says = f"{given} bytes are {binary}, or {decimal} in powers of 1000, not {printed}"
    if given.meets(printed) or given.meets(as_decimal):
        return None
    return equal(Kind.SERIES, given, hull((printed, as_decimal)), says, where)

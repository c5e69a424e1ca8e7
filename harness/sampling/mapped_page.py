"""Reads somebody else's pages into our names, by the rows of ``[[metrics.sources]]``."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from harness.sampling.fold import Clash, Folded, Series, fold
from harness.sampling.mapping import Wanted
from harness.sampling.metric_tokens import OF_PAGES, bearer
from harness.system.fetch import fetch
from recording.access import DIRECT, Access

_AT = np.zeros(1)


@dataclass(frozen=True, slots=True)
class MappedPages:
    """A service's pages, by url, each with the rows that it is read for.

    ``seen`` are the clashes that there were, by our name: what is left out is told once.
    """

    pages: Mapping[str, tuple[Wanted, ...]]
    within_s: float
    access: Access = DIRECT
    seen: dict[str, Clash] = field(default_factory=dict)

    def __call__(self) -> Mapping[str, float]:
        """All of them now, as ``resources.csv`` has it; what clashes is left out.

        Raises NoAnswerError and ValueError where one cannot be read.
        """
        found = self.folded()
        self.seen.update({clash.name: clash for clash in found.clashes})
        return {name: float(each.values[0]) for name, each in found.told.items()}

    def folded(self) -> Folded:
        """The same with where it came from, and what clashes."""
        return fold((s for page in self.pages.items() for s in self._read(*page)), _AT, 1.0)

    def _read(self, url: str, rows: tuple[Wanted, ...]) -> Iterator[Series]:
        page = fetch(url, self.within_s, self.access, bearer(OF_PAGES))
        if not page.ok:
            raise ValueError(f"{url}: status {page.status}")
        yield from series_of(page.text, rows)


def series_of(page: str, rows: Iterable[Wanted]) -> Iterator[Series]:
    """What a page says of some rows. Raises ValueError for a page that is no metrics."""
    by_name: dict[str, list[Wanted]] = {}
    for wanted in rows:
        by_name.setdefault(wanted.row.theirs, []).append(wanted)
    # Parsing costs about 20 µs a line, so drop what nobody wants first.
    lines = (line.rstrip("\r") for line in page.split("\n") if line.startswith(tuple(by_name)))
    for family in text_string_to_metric_families("\n".join(lines) + "\n"):
        for sample in family.samples:
            for wanted in by_name.get(sample.name, ()):
                if all(matcher.fits(sample.labels) for matcher in wanted.matchers):
                    yield Series(wanted, sample.labels, _AT, np.array([float(sample.value)]))

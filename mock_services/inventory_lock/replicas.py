"""Replicas of a service, each with its own pool, behind a round-robin router."""

from mock_services.kit.pool import Pool


class Replicas:
    """Routes requests in turn, blind to load, as a Kubernetes service does.

    A replica taken away gets no new requests, and is reported until its last connection is back.
    """

    def __init__(self, pool_name: str, count: int, pool_max: int) -> None:
        self._pool_name = pool_name
        self._serving: list[Pool] = []
        self._draining: list[Pool] = []
        self._turn = -1
        self._started = 0
        self.down = 0
        """How many of those that serve fail every request; the router does not know of it."""
        self.resize(count, pool_max)

    def __len__(self) -> int:
        return len(self._serving)

    def next(self) -> Pool:
        """The pool of the replica whose turn it is."""
        self._turn = (self._turn + 1) % len(self._serving)
        return self._serving[self._turn]

    def is_down(self, pool: Pool) -> bool:
        """Whether the replica of this pool is one that fails every request."""
        return self.down > 0 and pool in self._serving[-self.down :]

    def pools(self) -> tuple[Pool, ...]:
        """Pools of all replicas that still hold or may give connections."""
        self._draining = [pool for pool in self._draining if pool.active or pool.waiting]
        return (*self._serving, *self._draining)

    def resize(self, count: int, pool_max: int) -> None:
        """Run `count` replicas with pools of `pool_max`; both take effect at once."""
        while len(self._serving) < count:
            self._serving.append(Pool(self._pool_name, str(self._started), pool_max))
            self._started += 1
        while len(self._serving) > count:
            self._draining.append(self._serving.pop())
        for pool in self.pools():
            pool.resize(pool_max)

"""Replicas of a service, each with its own pool, behind a router."""

from typing import Literal

from mock_services.kit.pool import Pool

Routing = Literal["least_connections", "round_robin"]


class Replicas:
    """Routes requests, and scales.

    ``least_connections`` sends a request to the pool with the fewest connections taken and
    callers waiting, those that are even in turn; ``round_robin`` is blind to load. A replica
    taken away gets no new requests, and is reported until its last connection is back.
    """

    def __init__(self, pool_name: str, count: int, pool_max: int, routing: Routing) -> None:
        self.routing = routing
        self.started = 0
        self.serving: list[Pool] = []
        self._pool_name = pool_name
        self._pool_max = pool_max
        self._draining: list[Pool] = []
        self._turn = -1
        self.down = 0
        """How many of those that serve fail every request; the router does not know of it."""
        self.scale(count)

    def __len__(self) -> int:
        return len(self.serving)

    def next(self) -> Pool:
        """The pool of the replica that gets the next request."""
        self._turn = (self._turn + 1) % len(self.serving)
        if self.routing == "round_robin":
            return self.serving[self._turn]
        in_turn = self.serving[self._turn :] + self.serving[: self._turn]
        return min(in_turn, key=lambda pool: pool.active + pool.waiting)

    def is_down(self, pool: Pool) -> bool:
        """Whether the replica of this pool is one that fails every request."""
        return self.down > 0 and pool in self.serving[-self.down :]

    def pools(self) -> tuple[Pool, ...]:
        """Pools of all replicas that still hold or may give connections."""
        self._draining = [pool for pool in self._draining if pool.active or pool.waiting]
        return (*self.serving, *self._draining)

    def scale(self, count: int) -> None:
        """Run `count` replicas; takes effect at once."""
        while len(self.serving) < count:
            self.serving.append(Pool(self._pool_name, str(self.started), self._pool_max))
            self.started += 1
        while len(self.serving) > count:
            self._draining.append(self.serving.pop())

    def resize(self, pool_max: int) -> None:
        """Give every pool `pool_max` connections; takes effect at once."""
        self._pool_max = pool_max
        for pool in self.pools():
            pool.resize(pool_max)

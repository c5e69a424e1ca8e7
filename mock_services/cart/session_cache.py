"""Shopping sessions in memory, each really holding its bytes."""

import random
import time
from collections import OrderedDict
from collections.abc import Callable

from mock_services.cart.session import Session
from mock_services.kit.shares import Share

_NOISE_BYTES = 1 << 20


class SessionCache:
    """Sessions by cart id, the least recently accessed first; at most `sessions_max` (None: any).

    A session not accessed for `ttl_s` is expired, and stays in memory until it is accessed,
    evict() or collect() is called. Who calls that, and when, is the eviction policy. The share
    `leaks` of the expired is lost by evict(), and only collect() finds it.
    """

    def __init__(
        self,
        ttl_s: float,
        session_bytes: int,
        seed: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ttl_s = ttl_s
        self.session_bytes = session_bytes
        self.sessions_max: int | None = None
        self.leaks = Share(0.0)
        self.evicted = 0
        self.hits = 0
        self.misses = 0
        self._clock = clock
        self._random = random.Random(seed)
        self._noise = self._random.randbytes(_NOISE_BYTES)
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._leaked: list[bytes] = []
        """What lost sessions hold, without their small objects: those lie among the living in
        Python's arenas, which no collection gives back in part."""

    def __len__(self) -> int:
        return len(self._sessions) + len(self._leaked)

    def find(self, cart_id: str) -> Session | None:
        """The session of a cart; None when there is none or it has expired."""
        now_s = self._clock()
        session = self._sessions.get(cart_id)
        if session is not None and now_s - session.accessed_s < self.ttl_s:
            session.accessed_s = now_s
            self._sessions.move_to_end(cart_id)
            self.hits += 1
            return session
        self.misses += 1
        if session is not None:
            del self._sessions[cart_id]
            self.evicted += 1
        return None

    def open(self, cart_id: str, owner: str | None) -> Session:
        """A new session, for a cart that find() does not know; the oldest makes room for it."""
        session = self._sessions[cart_id] = Session(owner, self._ballast(), self._clock())
        if self.sessions_max is not None and len(self._sessions) > self.sessions_max:
            self._sessions.popitem(last=False)
            self.evicted += 1
        return session

    def drop(self, prefix: str) -> int:
        """Drop the sessions of users who are called so; how many. The leaked are nobody's."""
        theirs = [id_ for id_, s in self._sessions.items() if (s.owner or "").startswith(prefix)]
        for cart_id in theirs:
            del self._sessions[cart_id]
        return len(theirs)

    def evict(self) -> int:
        """Drop the expired sessions but for those that leak; returns how many bytes they held."""
        expired_before_s = self._clock() - self.ttl_s
        freed_bytes = 0
        while self._sessions:
            cart_id, session = next(iter(self._sessions.items()))
            if session.accessed_s > expired_before_s:
                break
            del self._sessions[cart_id]
            if self.leaks.hit():
                self._leaked.append(session.ballast)
                continue
            self.evicted += 1
            freed_bytes += len(session.ballast)
        return freed_bytes

    def collect(self) -> int:
        """Drop all expired sessions, the leaked too; returns how many bytes they held."""
        freed_bytes = self.evict()
        freed_bytes += sum(map(len, self._leaked))
        self.evicted += len(self._leaked)
        self._leaked = []
        return freed_bytes

    def _ballast(self) -> bytes:
        """A copy of noise from a random place: fresh pages, all written, cheap to make."""
        size = self.session_bytes
        start = self._random.randrange(_NOISE_BYTES)
        whole, rest = divmod(size, _NOISE_BYTES)
        noise = self._noise
        turned = noise[start : start + rest]
        return noise * whole + turned + noise[: rest - len(turned)]

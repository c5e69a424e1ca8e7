"""Shopping sessions in memory, each really holding its bytes."""

import random
import time
from collections import OrderedDict
from collections.abc import Callable

_NOISE_BYTES = 1 << 20


class Session:
    """One cart."""

    __slots__ = ("accessed_s", "ballast", "items", "subtotal_cents")

    def __init__(self, ballast: bytes, now_s: float) -> None:
        self.ballast = ballast
        self.accessed_s = now_s
        self.items = 0
        self.subtotal_cents = 0


class SessionCache:
    """Sessions by cart id, the least recently accessed first.

    A session not accessed for `ttl_s` is expired, and stays in memory until it is accessed or
    evict() is called. Who calls that, and when, is the eviction policy.
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
        self.evicted = 0
        self._clock = clock
        self._random = random.Random(seed)
        self._noise = self._random.randbytes(_NOISE_BYTES)
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def access(self, cart_id: str) -> Session:
        """The session of a cart: a new one when there is none or it has expired."""
        now_s = self._clock()
        session = self._sessions.get(cart_id)
        if session is not None and now_s - session.accessed_s < self.ttl_s:
            session.accessed_s = now_s
            self._sessions.move_to_end(cart_id)
            return session
        if session is not None:
            del self._sessions[cart_id]
            self.evicted += 1
        session = self._sessions[cart_id] = Session(self._ballast(), now_s)
        return session

    def evict(self) -> int:
        """Drop all expired sessions; returns how many bytes they held."""
        expired_before_s = self._clock() - self.ttl_s
        freed_bytes = 0
        while self._sessions:
            cart_id, session = next(iter(self._sessions.items()))
            if session.accessed_s > expired_before_s:
                break
            del self._sessions[cart_id]
            self.evicted += 1
            freed_bytes += len(session.ballast)
        return freed_bytes

    def _ballast(self) -> bytes:
        """A copy of noise from a random place: fresh pages, all written, cheap to make."""
        size = self.session_bytes
        start = self._random.randrange(_NOISE_BYTES)
        whole, rest = divmod(size, _NOISE_BYTES)
        noise = self._noise
        turned = noise[start : start + rest]
        return noise * whole + turned + noise[: rest - len(turned)]

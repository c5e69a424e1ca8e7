"""Master and workers know each other: messages are sealed, and nobody joins unasked.

Locust's port takes anybody's messages, and bytes that are none end its master. Here every message
carries an HMAC-SHA256 of the run's token (RFC 2104); one without it is dropped unread.
"""

import hmac
import os
import sys
from itertools import count
from typing import Any

import locust.env
from locust.exception import RPCReceiveError
from locust.rpc import Message
from locust.runners import (
    STATE_INIT,
    STATE_MISSING,
    STATE_STOPPED,
    STATE_STOPPING,
    MasterRunner,
    WorkerRunner,
)

from locustfiles.plan import PLAN
from recording.exitcodes import REFUSED_WORKER

REFUSED_MESSAGE = "loadgate-refused"
SEAL_BYTES = 32


class Strangers:
    """How many messages came that had not this run's seal."""

    count = 0


def seal_messages(token: str) -> None:
    """From now on this process sends and takes sealed messages only."""
    key = token.encode()
    plain_of, message_of = Message.serialize, Message.unserialize

    def serialize(message: Any) -> bytes:
        plain: bytes = plain_of(message)
        return hmac.digest(key, plain, "sha256") + plain

    def unserialize(data: bytes) -> Any:
        plain = data[SEAL_BYTES:]
        if not hmac.compare_digest(hmac.digest(key, plain, "sha256"), data[:SEAL_BYTES]):
            Strangers.count += 1
            raise RPCReceiveError("a message without this run's seal")
        return message_of(plain)

    vars(locust.env).update(MasterRunner=Master, WorkerRunner=Worker)
    Message.serialize = serialize  # type: ignore[method-assign]
    Message.unserialize = staticmethod(unserialize)  # type: ignore[method-assign]


class Master(MasterRunner):
    """Takes as many workers as the plan has, each with a number of its own."""

    def handle_message(self, client_id: str, msg: Message) -> None:
        """Refuse whoever has no place; everything else is Locust's business."""
        if msg.type == "client_ready" and client_id not in self.clients:
            self._forget_the_gone()
            if because := self._refusal():
                refusal = Message(REFUSED_MESSAGE, {"because": because}, client_id)
                self.server.send_to_client(refusal)
                return
        super().handle_message(client_id, msg)

    def _refusal(self) -> str:
        if self.state in (STATE_STOPPING, STATE_STOPPED):
            return "the run is over"
        if self.worker_count >= PLAN.workers:
            return f"the run has the {PLAN.workers} worker(s) of its plan already"
        if self.state != STATE_INIT and (PLAN.arms or PLAN.profile.load.model == "arrivals"):
            return "the load has begun, and what is due is dealt out among those who were there"
        return ""

    def _forget_the_gone(self) -> None:
        """Before the load begins a worker that is gone leaves its place to another."""
        if self.state != STATE_INIT:
            return
        for client in self.clients.all:
            if client.state == STATE_MISSING:
                del self.clients[client.id]
        present = {client.id for client in self.clients.all}
        self.worker_indexes = {k: v for k, v in self.worker_indexes.items() if k in present}

    def get_worker_index(self, client_id: str) -> int:
        """The lowest number that nobody has, or had since the load began."""
        if client_id not in self.worker_indexes:
            taken = set(self.worker_indexes.values())
            self.worker_indexes[client_id] = next(i for i in count() if i not in taken)
        return self.worker_indexes[client_id]


class Worker(WorkerRunner):
    """Leaves when the master does not take it."""

    def handle_message(self, msg: Message) -> None:
        """A refusal ends this process; everything else is Locust's business."""
        if msg.type == REFUSED_MESSAGE:
            sys.stderr.write(f"refused: {msg.data['because']}\n")
            sys.stderr.flush()
            os._exit(REFUSED_WORKER)
        super().handle_message(msg)

"""locustfiles/seal.py: whose messages are taken. In a process of its own, for it changes Locust."""

import subprocess
import sys

SEALED = """
import msgpack
from locust.exception import RPCReceiveError
from locust.rpc import Message
from locustfiles.seal import Strangers, seal_messages

plain = Message("client_ready", {"x": 1}, "me").serialize()
seal_messages("a-token-of-these-tests")
sealed = Message("client_ready", {"x": 1}, "me").serialize()
found = Message.unserialize(sealed)
assert (found.type, found.data, found.node_id) == ("client_ready", {"x": 1}, "me")
bent = sealed[:-1] + bytes([sealed[-1] ^ 1])
strangers = [b"", b"x", plain, b"\\x00" * 32 + plain, sealed[:-1], sealed + b"x", bent, sealed[32:]]
for message in strangers:
    try:
        Message.unserialize(message)
    except RPCReceiveError:
        continue
    raise AssertionError(message)
assert Strangers.count == len(strangers)
"""


def test_only_what_has_the_seal_is_read() -> None:
    """Not one byte more, less or other; every other message is counted, none is unpacked."""
    done = subprocess.run(
        [sys.executable, "-c", f"import locust\n{SEALED}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

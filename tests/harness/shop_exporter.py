"""A page of metrics whose text a test changes while somebody scrapes it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HIKARI = (
    'hikaricp_connections_active{{pool="HikariPool-1"}} {active}',
    'hikaricp_connections_idle{{pool="HikariPool-1"}} 1.0',
    'hikaricp_connections_max{{pool="HikariPool-1"}} 10.0',
    'hikaricp_connections_pending{{pool="HikariPool-1"}} {pending}',
    'hikaricp_connections_timeout_total{{pool="HikariPool-1"}} {timeouts}',
    "process_resident_memory_bytes {rss}",
    "process_cpu_seconds_total {cpu}",
    "process_start_time_seconds {started}",
)
HEALTHY = {
    "active": 4.0, "pending": 0.0, "timeouts": 3.0, "rss": 4.0e8, "cpu": 12.5, "started": 1.7e9,
}  # fmt: skip


def hikari(**changed: float) -> str:
    """As Spring Boot's /actuator/prometheus and a client library write it."""
    return "\n".join(HIKARI).format(**(HEALTHY | changed)) + "\n"


@dataclass
class Exporter:
    """One that is up; ``text`` is None: it answers 503. ``asked`` has what each request said."""

    url: str
    text: str | None
    asked: list[dict[str, str]]

    @property
    def host(self) -> str:
        """With its port."""
        return self.url.removeprefix("http://")


@contextmanager
def exporter(text: str) -> Iterator[Exporter]:
    """On a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append({"path": self.path, **self.headers})
            said = made.text
            self.send_response(503 if said is None else 200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write((said or "").encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Exporter(f"http://127.0.0.1:{server.server_address[1]}", text, [])
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()

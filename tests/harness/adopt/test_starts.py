"""Where shops say how they are started, each in a tree of its own, and what `[arm]` makes of it."""

from pathlib import Path

import pytest

from harness.adopt.starts import starts
from harness.adopt.tree import Tree
from recording.flow import Service, Services
from recording.profile_file import build
from recording.shop import Shop

PIP = ".venv/bin/pip install --quiet"
HOST = Services((Service(key="host", subject="shop"),), ())
FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI(title='x')\n"
COMPOSE = """
services:
  db: { image: postgres, ports: ["5432:5432"] }
  web: { build: ., ports: ["PUBLISHED:80"] }
"""
FOUND: dict[str, tuple[dict[str, str], str, str]] = {
    "Procfile": (
        {"Procfile": "release: x\nweb: gunicorn shop.wsgi --bind 0.0.0.0:$PORT\n"},
        "python3 -m gunicorn shop.wsgi --bind 0.0.0.0:{port}", "",
    ),
    "Procfile, shell": (
        {"Procfile": "web: cd src && uvicorn shop:app --port ${PORT:-8000}\n"},
        "sh -c 'cd src && uvicorn shop:app --port {port}'", "",
    ),
    "Procfile, shell, environment": (
        {"Procfile": "web: cd src && uvicorn shop:app --port $PORT\n", "requirements.txt": ""},
        "sh -c '. .venv/bin/activate && cd src && uvicorn shop:app --port {port}'",
        f"{PIP} -r requirements.txt",
    ),
    "requirements": (
        {"shop/app.py": FASTAPI, "requirements.txt": "fastapi\n"},
        ".venv/bin/python -m uvicorn shop.app:app --port {port}", f"{PIP} -r requirements.txt",
    ),
    "src": (
        {"src/shop/__init__.py": "", "src/shop/main.py": FASTAPI, "pyproject.toml": "[project]\n"},
        ".venv/bin/python -m uvicorn shop.main:app --app-dir src --port {port}", f"{PIP} -e .",
    ),
    "uv": (
        {"main.py": FASTAPI, "uv.lock": "", "requirements.txt": ""},
        ".venv/bin/python -m uvicorn main:app --port {port}", "uv sync --quiet",
    ),
    "tests have applications too": (
        {"tests/app.py": FASTAPI, "test_x.py": FASTAPI, ".venv/a/b.py": FASTAPI,
         "deep/er/shop.py": "import fastapi\napi: fastapi.FastAPI = fastapi.FastAPI()\n"},
        "python3 -m uvicorn deep.er.shop:api --port {port}", "",
    ),
    "Flask": (
        {"wsgi.py": "app = Flask(__name__)\n"},
        "python3 -m flask --app wsgi:app run --port {port}", "",
    ),
    "Django": (
        {"manage.py": "import django\n"},
        "python3 manage.py runserver --noreload 127.0.0.1:{port}", "",
    ),
    "poe": (
        {"pyproject.toml": '[tool.poe.tasks]\nserve = { cmd = "uvicorn a:b --port 8000" }\n'},
        ".venv/bin/python -m uvicorn a:b --port {port}", f"{PIP} -e .",
    ),
    "node": (
        {"package.json": '{"scripts": {"start": "node index.js"}}', "package-lock.json": "{}"},
        "npm start", "npm ci --silent",
    ),
    "Dockerfile": (
        {"Dockerfile": 'FROM x\nEXPOSE 80\nCMD ["uvicorn", "a:b", \\\n  "--port", "80"]\n'},
        "python3 -m uvicorn a:b --port {port}", "",
    ),
    "Dockerfile, shell": (
        {"Dockerfile": "FROM x\nEXPOSE 9000\nCMD ./shop -listen :9000\n"},
        "./shop -listen :{port}", "",
    ),
    "an unknown program": ({"Procfile": "web: bin/shop serve\n"}, "bin/shop serve", ""),
    "Compose": (
        {"compose.yaml": COMPOSE.replace("PUBLISHED", "${SHOP_PORT:-8000}")},
        "docker compose up --build", "",
    ),
    "Compose, one port": (
        {"docker-compose.yml": COMPOSE.replace("PUBLISHED", "127.0.0.1:8000")},
        "docker compose up --build", "",
    ),
}  # fmt: skip


def tree(top: Path, files: dict[str, str]) -> Tree:
    """A folder with these files."""
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    return Tree(top)


@pytest.mark.parametrize("kind", FOUND)
def test_a_start_is_found(kind: str, tmp_path: Path) -> None:
    """With what is installed first; the profile takes it, and knows where the shop will answer."""
    files, command, install = FOUND[kind]
    (start,) = starts(tree(tmp_path, files))
    assert start.command == command
    assert install in start.install
    assert bool(install) == bool(start.install)
    urls = {"host": start.url} if start.url else {}
    table = {"start": start.command, "environment": dict(start.environment), "urls": urls}
    build(Shop, table, "shop.toml").check_reached(HOST)


def test_the_best_start_is_first_and_the_others_are_kept(tmp_path: Path) -> None:
    """A process of one's own before containers, which say nothing of memory and CPU."""
    files = FOUND["Compose"][0] | FOUND["uv"][0] | FOUND["Procfile"][0]
    found = [start.origin for start in starts(tree(tmp_path, files))]
    assert found == ["Procfile, web", "main.py, app = FastAPI(…)", "compose.yaml, web"]


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": "nothing"},
        {"package.json": "{", "pyproject.toml": "[", "compose.yaml": ":\n- x: [", "Procfile": "\0"},
        {"package.json": "[]", "compose.yaml": "services: [1]", "Dockerfile": "FROM x\n"},
        {"compose.yaml": "services: { db: { image: x }, q: { ports: ['80'] }, r: null }"},
    ],
)
def test_what_says_nothing_is_no_start(files: dict[str, str], tmp_path: Path) -> None:
    """Nor are files that are broken."""
    assert starts(tree(tmp_path, files)) == ()

"""What has to be installed before a shop can start: one row for each file that says so."""

from harness.adopt.tree import Tree

_VENV = ".venv/bin/"


def _by_pip(what: str) -> str:
    made = "test -x .venv/bin/pip || python3 -m venv .venv; .venv/bin/pip install --quiet"
    return f"sh -c '{made} {what}'"


OF_NODE = (
    ("package-lock.json", "npm ci --silent", ""),
    ("package.json", "npm install --silent", ""),
)
OF_PYTHON = (
    ("uv.lock", "uv sync --quiet", _VENV),
    ("poetry.lock", "sh -c 'POETRY_VIRTUALENVS_IN_PROJECT=1 poetry install --quiet'", _VENV),
    ("requirements.txt", _by_pip("-r requirements.txt"), _VENV),
    ("pyproject.toml", _by_pip("-e ."), _VENV),
)
"""The file, the command that does it, and the folder of the programs that there are then."""


def installed_by(tree: Tree, command: str) -> tuple[str, str, str]:
    """The file, the command, and where programs are then; "" for each where none says anything."""
    rows = OF_NODE if command.split()[0] in ("npm", "node", "yarn", "pnpm") else OF_PYTHON
    return next((row for row in rows if tree.has(row[0])), ("", "", ""))

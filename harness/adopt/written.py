"""The files that a shop's repository gets: texts with what was found put in, and where they go."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from harness.adopt import scenario_file
from harness.adopt.found import Found
from harness.adopt.repository import Repository
from harness.adopt.start import Start
from harness.system.paths import OWN_FOLDER
from recording.target import HOST, Target

TEMPLATES = Path(__file__).parent / "templates"
PROFILE, GATE, LIMITS = (f"{OWN_FOLDER}/{name}.toml" for name in ("shop", "gate", "thresholds"))
GITHUB, GITLAB = ".github/workflows/loadgate.yml", f"{OWN_FOLDER}/gitlab-ci.yml"
_NO_START = f"""start = ""    {scenario_file.FILL_IN}: the command that starts your shop, such as
# start = ".venv/bin/python -m uvicorn shop.app:app --port {{port}}"
# install = "sh -c 'python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt'"
# ready = "/healthz"    # answers 2xx when it is up"""
_UNSET = "set this variable to the url of the wheel of a release of loadgate"


class _Text(Template):
    """What is put in is ``@@name``, which neither TOML nor a workflow has."""

    delimiter = "@@"


@dataclass(frozen=True, slots=True)
class File:
    """A file to write, relative to the top."""

    path: str
    text: str


def files(found: Found, repository: Repository) -> Iterator[File]:
    """All of them. A gate wants to know how the shop is started, and CI's files are looked for at
    the top of a repository only.
    """
    yield File(PROFILE, _profile(found, repository))
    if gated(found):
        yield File(GATE, _gate(found, repository))
    yield File(LIMITS, _filled("thresholds.toml", service=_rules(found)))
    if found.locustfile is None:
        text = scenario_file.scenario_text(found.steps.steps)
        yield File(f"{OWN_FOLDER}/{scenario_file.NAME}", text)
    if gated(found) and not repository.folder:
        yield from _workflows(repository)


def gated(found: Found) -> bool:
    """Whether two revisions can be started: not where all that is known is a url."""
    return found.start is not None or not found.url


def required(found: Found) -> tuple[str, ...]:
    """Kinds of rule that this shop has figures for."""
    kinds = ["journey.latency", "journey.errors"]
    kinds += [] if found.url or not gated(found) or _in_containers(found.start) else ["process"]
    return (*kinds, *(["pool"] if found.told.metrics.pool else []))


def _in_containers(start: Start | None) -> bool:
    return start is not None and start.command.startswith("docker ")


def _profile(found: Found, repository: Repository) -> str:
    where = _target(found) if found.url else _arm(found, repository)
    kinds = ", ".join(map(_quoted, required(found)))
    told = {"arm": where, "scenario": _scenario(found), "metrics": _metrics(found)}
    return _filled("shop.toml", required=kinds, journey=_journey(found), **told)


def _gate(found: Found, repository: Repository) -> str:
    told = {"arm": _arm(found, repository), "scenario": _scenario(found)}
    return _filled("gate.toml", journey=_journey(found), **told)


def _arm(found: Found, repository: Repository) -> str:
    keys = list(_arm_keys(found.start, found.told.ready, _service(found)))
    if repository.folder:
        keys.append(f"folder = {_quoted(repository.folder)}    # of the repository")
    return _filled("arm.toml", keys="\n".join(keys))


def _arm_keys(start: Start | None, ready: str, key: str) -> Iterator[str]:
    if start is None:
        yield _NO_START
        return
    yield f"start = {_quoted(start.command)}"
    if start.stop:
        yield f"stop = {_quoted(start.stop)}"
    if start.install:
        yield f"install = {_quoted(start.install)}"
    if ready:
        yield f"ready = {_quoted(ready)}    # answers 2xx when it is up"
    if start.ready_within:
        yield f"ready_within = {_quoted(start.ready_within)}"
    if start.environment:
        yield f"environment = {_inline(start.environment)}"
    if start.url:
        yield f"urls = {_inline({key: start.url})}"


def _target(found: Found) -> str:
    url, key = found.url, _service(found)
    keys = [f"{key} = {_quoted(url)}" if key == HOST else f"urls = {_inline({key: url})}"]
    host = urlsplit(url).hostname or ""
    if host not in Target().allowed_hosts:
        keys.append(f"allowed_hosts = [{_quoted(host)}]    # nobody else is loaded")
    return _filled("target.toml", keys="\n".join(keys))


def _scenario(found: Found) -> str:
    own = found.locustfile
    key, name = ("locustfile", f"../{own}") if own else (scenario_file.KEY, scenario_file.NAME)
    return f"{key} = {_quoted(name)}"


def _service(found: Found) -> str:
    """The key of the one service that is loaded."""
    return HOST if found.locustfile else scenario_file.SERVICE


def _journey(found: Found) -> str:
    """What is to be said of pauses; those of a locustfile's users are the file's."""
    return "" if found.locustfile else scenario_file.JOURNEY


def _metrics(found: Found) -> str:
    metrics = found.told.metrics
    if not metrics.use:
        return ""
    return _filled(
        "metrics.toml",
        service=_quoted(_service(found)),
        page=_quoted(metrics.path),
        use=", ".join(map(_quoted, metrics.use)),
    )


_PROCESS = 'process = ["restarts == 0"]                  # who restarts has lost what it held'
_POOL = """pool = [
    "exhausted_windows == 0",                # nobody waits for a connection
    "utilization < 95 %",
]"""


def _rules(found: Found) -> str:
    kinds = required(found)
    rules = [text for kind, text in (("process", _PROCESS), ("pool", _POOL)) if kind in kinds]
    return _filled("service.toml", rules="\n".join(rules)) if rules else ""


def _workflows(repository: Repository) -> Iterator[File]:
    wheel = _origin()
    if repository.is_on_github:
        where = "" if wheel else " # a variable of the repository: the url of a release's wheel"
        told = {"wheel": wheel or "${{ vars.LOADGATE }}", "where": where}
        yield File(GITHUB, _filled("github.yml", unset=_UNSET, **told))
    if repository.is_on_gitlab:
        variable = f"\n    LOADGATE: {_quoted(wheel)}" if wheel else ""
        yield File(GITLAB, _filled("gitlab.yml", unset=_UNSET, variable=variable))


def is_origin_known() -> bool:
    """Whether CI can be told where this loadgate comes from."""
    return bool(_origin())


def _origin() -> str:
    """Where this loadgate was installed from, if others can have it from there too (PEP 610)."""
    try:
        told = json.loads(metadata.distribution("loadgate").read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return ""
    url, vcs = str(told.get("url", "")), told.get("vcs_info")
    if not url.startswith("https://") or "@" in urlsplit(url).netloc:
        return ""
    return f"{vcs['vcs']}+{url}@{vcs['commit_id']}" if vcs else url


def _filled(name: str, **values: str) -> str:
    return _Text((TEMPLATES / name).read_text(encoding="utf-8")).substitute(values)


def _quoted(text: str) -> str:
    """As TOML and YAML have it."""
    return json.dumps(text, ensure_ascii=False)


def _inline(table: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{key} = {_quoted(value)}" for key, value in table.items()) + " }"

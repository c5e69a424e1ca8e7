"""See what a shop's own metrics give, before any load.

Examples:

- `loadgate metrics check staging`
- `loadgate metrics check staging --json`
- `loadgate metrics mappings`
"""

import typer

from analysis.report.document import Document, Row, Table, texts
from harness import options
from harness.run.metrics_check import check_services, checks_document, to_json
from harness.sampling.mapping import mapping, mapping_names
from harness.scene.own_file import with_own_file
from harness.screen.terminal import answer
from harness.system.paths import find_profile
from recording.errors import ConfigError
from recording.profile_file import load_profile

actions = typer.Typer(help=__doc__, no_args_is_help=True)


@actions.command()
def check(
    profile: options.ProfileName = "smoke",
    overrides: options.Overrides = None,
    thresholds: options.Thresholds = None,
    as_json: options.Json = False,
) -> None:
    """Show each of our metrics of PROFILE's services, theirs beside it, and its value now.

    What is not found is a row too, and which rules of thresholds.toml stay undecided without it.
    Nothing is loaded; hosts are those of `target.allowed_hosts`. Exit codes: 0, or 2 where a source
    cannot be read, gives nothing, or gives two series for one name.

    Examples:

    - `loadgate metrics check staging`
    - `loadgate metrics check staging --json`
    """
    plan, _ = with_own_file(load_profile(find_profile(profile), overrides or []))
    found = check_services(plan, options.read_limits(thresholds))
    answer(checks_document(found), to_json(found), as_json=as_json)
    if problems := [f"{each.subject}: {text}" for each in found for text in each.problems]:
        raise ConfigError("\n".join(problems))


@actions.command()
def mappings(as_json: options.Json = False) -> None:
    """List the ready mappings, for `use` of `[[metrics.sources]]`.

    Examples:

    - `loadgate metrics mappings`
    """
    ready = {name: mapping(name) for name in mapping_names()}
    rows = tuple(Row((name, of.title)) for name, of in ready.items())
    value = {name: of.model_dump() for name, of in ready.items()}
    answer(Document((Table((*texts("use", "for"),), rows),)), value, as_json=as_json)

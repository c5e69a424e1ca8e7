"""Print thresholds.toml as rules for another system, which watches while a run goes on.

Examples:

- `loadgate rules prometheus > alerts.yml`
- `loadgate rules prometheus --thresholds my-thresholds.toml`
"""

import typer

from harness import options
from harness.observe.alerts import rules_text

actions = typer.Typer(help=__doc__, no_args_is_help=True)


@actions.command()
def prometheus(thresholds: options.Thresholds = None) -> None:
    """Print alert rules: the file's, and those of runbook RB-QA-005 (its Appendix C table).

    What PromQL cannot say stands as a comment at the top, with the reason.

    Examples:

    - `loadgate rules prometheus > alerts.yml`
    """
    typer.echo(rules_text(options.read_limits(thresholds)), nl=False)

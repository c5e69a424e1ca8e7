"""A scenario as a profile has it played."""

from dataclasses import replace

from loadgate_scenario import Scenario, Step
from recording.profile import Profile


def as_profiled(scenario: Scenario, profile: Profile) -> Scenario:
    """With what the profile says of it, and each step with the service that it asks."""
    shares, users, journey = profile.scenario.shares, scenario.users, profile.journey

    def played(step: Step) -> Step:
        return replace(
            step,
            service=scenario.service_of(step),
            share=shares.get(step.name, step.share),
            retries=journey.retries if step.retries is None else step.retries,
            redirects=journey.redirects if step.redirects is None else step.redirects,
        )

    log_in = played(users.log_in) if users.log_in else None
    users = replace(users, log_in=log_in, cookies=users.cookies or journey.cookies)
    return replace(scenario, steps=tuple(map(played, scenario.steps)), users=users)

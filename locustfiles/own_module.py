"""The users of a scenario module of somebody's own, under our phases and recorder."""

import os
from pathlib import Path

from locustfiles import listeners
from locustfiles.isolated import load_scenario
from locustfiles.plan import PLAN
from locustfiles.profiled import as_profiled
from locustfiles.rows import rows_of
from locustfiles.shape import PhaseShape
from locustfiles.shopper import Shopper


class PhasesOfTheProfile(PhaseShape):
    """They drive the load."""

    plan = PLAN
    levels = listeners.LEVELS


os.chdir(PLAN.folder or ".")
_PATH = Path(PLAN.profile.scenario.module)


class ModuleUser(Shopper):
    """One user of the module."""

    scenario = as_profiled(load_scenario(_PATH), PLAN.profile)
    rows = rows_of(scenario, _PATH.parent)

"""How a phase of a profile is named in an override: ``load.phases.sustained``."""

from recording.load import Load, Phase


def phase_key(number: int, phase: Phase) -> str:
    """By its name; by its number where the name would not be read as one."""
    is_plain = "." not in phase.name and not phase.name.isdigit()
    return f"load.phases.{phase.name if is_plain else number}"


def last_measured(load: Load) -> tuple[str, Phase]:
    """The phase that grows when more is to be measured, and its key."""
    number, phase = [each for each in enumerate(load.phases) if each[1].measured][-1]
    return phase_key(number, phase), phase

"""Outcome classes that are what the plan asked for; every other outcome is a failure."""

EXPECTED_OUTCOMES = frozenset({"ok", "declined"})

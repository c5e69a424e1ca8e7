"""What holds for all tests."""

from hypothesis import settings

# A busy machine is no failure, and a test says the same every time it runs.
settings.register_profile("loadgate", deadline=None, derandomize=True)
settings.load_profile("loadgate")

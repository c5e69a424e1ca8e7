"""The stand-in: four FastAPI services that behave like the system under test.

Nothing here imports another package of this project; the outside speaks HTTP to it. The one
exception is `mock_services.settings`, which others may import so that one schema validates
what the services are told.
"""

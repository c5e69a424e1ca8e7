"""The stand-in: FastAPI services that behave like the system under test.

Nothing here imports another package of this project; the outside speaks HTTP to it. The one
exception is `mock_services.table`, which others may import: one table says which services there
are, and one schema validates what they are told.
"""

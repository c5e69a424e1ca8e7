"""A tea shop."""

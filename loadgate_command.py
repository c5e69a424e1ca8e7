"""The command ``loadgate``: its own packages come first, whatever else is called like them.

A shop's folder on PYTHONPATH may well have an ``analysis`` or a ``harness``.
"""

import sys
from pathlib import Path


def main() -> None:
    """Run the command line."""
    sys.path.insert(0, str(Path(__file__).parent))
    from harness.__main__ import main as command

    command()


if __name__ == "__main__":
    main()

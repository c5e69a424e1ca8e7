"""The command ``loadgate``: until its line is read nothing is begun, and Ctrl-C just ends it."""

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)

from harness.cli import main  # noqa: E402 - imports take time, in which Ctrl-C is no traceback

__all__ = ["main"]

if __name__ == "__main__":
    main()

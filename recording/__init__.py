"""The contract: what a run is asked to do (profile) and what it left behind (run directory).

A leaf: imports nothing of ours, so that generator, judge and conductor can all stand on it.
"""

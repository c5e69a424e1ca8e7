"""How a metric went from run to run, and where it changed."""

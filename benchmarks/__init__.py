"""``make bench``: figures that anyone can repeat, each beside a peer run in the same call."""

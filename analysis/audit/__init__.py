"""Which figures of a published table contradict each other: relations over its intervals."""

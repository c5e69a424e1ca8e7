"""What a published table of results says: figures as intervals, in one documented schema."""

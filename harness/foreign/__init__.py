"""Results that other tools made: readers of their files, and the recording that is made of them."""

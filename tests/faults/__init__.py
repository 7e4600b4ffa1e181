"""The faults of the list, by number."""

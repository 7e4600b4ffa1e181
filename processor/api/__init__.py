"""The Python interface; the names that count are in `processor` itself."""

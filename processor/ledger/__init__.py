"""The run's SQLite file, the one truth: everything else can be made again from it."""

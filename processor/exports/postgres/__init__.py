"""Results in a table of a PostgreSQL database."""

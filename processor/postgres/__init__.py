"""PostgreSQL: what reading a table and writing one share. Comes with the extra `postgres`."""

"""Runs as a page: a server on the loopback interface, which only reads and passes orders on."""

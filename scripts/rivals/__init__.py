"""Rival tools, a module each; every one is run in a process and an environment of its own."""

"""Tasks: how an item becomes a request, and an answer a checked result."""

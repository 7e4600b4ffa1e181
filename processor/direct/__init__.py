"""Synchronous calls, as fast as the provider allows."""

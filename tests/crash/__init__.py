"""Runs killed at random moments."""

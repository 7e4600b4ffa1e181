"""What work costs: pure functions, nothing is sent."""

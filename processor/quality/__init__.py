"""How good the answers of a run are: pure measures, and what they are measured on."""

"""What stands between the lanes and the ledger while a run sends: one module a lane."""

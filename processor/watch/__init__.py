"""How a run stands: everything here only reads the ledger."""

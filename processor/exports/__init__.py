"""Files made from the ledger; each can be made again from it."""

"""What the bureau reads: sums over the ledger."""

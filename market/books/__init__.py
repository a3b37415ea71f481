"""Whose money: the double-entry ledger and its daily roll-up."""

"""How it gets there: the stops where goods are handed over."""

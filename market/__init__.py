"""What the market is: its nouns and their rules. Knows no web framework, no payment provider, no Redis."""

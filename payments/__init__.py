"""How money arrives, goes back and is proven."""

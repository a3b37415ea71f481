"""A Stripe of our own for demos and tests: the official SDK cannot tell the difference on the subset we use."""

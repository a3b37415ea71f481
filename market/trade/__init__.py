"""What is bought: carts, orders and their cancellations."""

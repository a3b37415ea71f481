"""What is offered: produce, listings and the stock behind them."""

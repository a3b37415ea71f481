"""The shop door: what a civil servant and any visitor sees."""

from fastapi import APIRouter

from storefront.pages.shop import cart, checkout, home, listings, orders, payments

routers: list[APIRouter] = [
    home.router, listings.router, cart.router, checkout.router, orders.router, payments.router,
]  # fmt: skip

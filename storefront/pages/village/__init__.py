"""The village door: selling from a phone, by a household or by the agent of its station."""

from storefront.pages.village import goods, households, listings, money, new_goods, orders

routers = [households.router, new_goods.router, goods.router, listings.router, orders.router, money.router]

"""The village door: selling from a phone, by a household or by the agent of its station."""

from storefront.pages.village import answers, costs, goods, households, listings, looks, lots, money, new_goods, orders

routers = [
    households.router,
    new_goods.router,
    goods.router,
    listings.router,
    lots.router,
    orders.router,
    answers.router,
    money.router,
    costs.router,
    looks.router,
]

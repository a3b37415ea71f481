"""Every page door's routers. Doors never import each other."""

from storefront.pages import account, cards, desk, operator, shop, unit, village

routers = [
    *account.routers, *shop.routers, *village.routers, *cards.routers, *unit.routers, *desk.routers, *operator.routers,
]  # fmt: skip

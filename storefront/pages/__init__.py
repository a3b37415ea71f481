"""Every page door's routers. Doors never import each other."""

from storefront.pages import account, desk, doors, operator, shop, unit, village

routers = [
    *account.routers, *shop.routers, *village.routers, *doors.routers, *unit.routers, *desk.routers, *operator.routers,
]  # fmt: skip

"""Every page door's routers. Doors never import each other."""

from storefront.pages import account, desk, operator, shop, unit, village

routers = [*account.routers, *shop.routers, *village.routers, *unit.routers, *desk.routers, *operator.routers]

"""The door of the door cards: scanning one, and whoever prints, confirms and voids them."""

from storefront.pages.doors import entering, keeping, printing

routers = [entering.router, printing.router, keeping.router]

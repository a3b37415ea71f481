"""The administrator's door: who may do what in a division."""

from storefront.pages.operator import people

routers = [people.router]

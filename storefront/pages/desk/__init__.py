"""The desk door: what the bureau reads."""

from storefront.pages.desk import households, income, payments

routers = [income.router, households.router, payments.router]

"""The unit door: what a work unit's clerk, a stop's organiser and an agent do with orders and with cash."""

from storefront.pages.unit import cash, cash_books, hand_ins

routers = [cash.router, cash_books.router, hand_ins.router]

"""The desk door: what the bureau reads."""

from storefront.pages.desk.cash import router as cash
from storefront.pages.desk.households import router as households
from storefront.pages.desk.income import router as income
from storefront.pages.desk.payments import router as payments

routers = [income, households, payments, cash]

"""The desk door: what the bureau reads."""

from storefront.pages.desk import (
    bank_decisions,
    bank_rows,
    payees,
    payout_cards,
    payout_files,
    payout_proofs,
    payout_rows,
    payouts,
    remittances,
    statements,
)
from storefront.pages.desk.cash import router as cash
from storefront.pages.desk.goods import router as goods
from storefront.pages.desk.households import router as households
from storefront.pages.desk.income import router as income
from storefront.pages.desk.means import router as means
from storefront.pages.desk.notices import router as notices
from storefront.pages.desk.objections import router as objections
from storefront.pages.desk.payments import router as payments
from storefront.pages.desk.reconciliations import router as reconciliations
from storefront.pages.desk.rounds import router as rounds

routers = [income, households, goods, means, payments, rounds, cash, reconciliations, notices, objections]
routers += [each.router for each in (payouts, payout_rows, payout_files, payout_proofs, payout_cards)]
routers += [each.router for each in (statements, bank_rows, bank_decisions, remittances, payees)]

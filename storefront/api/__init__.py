"""JSON for machines, under /api/v1 (docs/api.md). The same market functions as the pages, no second set of rules."""

from fastapi import APIRouter

from storefront.api import listings, orders, payments, people, places, placing, produce, reports

router = APIRouter(prefix="/api/v1")
# The router looks through them in this order: what comes in rushes stands first.
for noun in (placing, listings, orders, payments, produce, places, reports, people):
    router.include_router(noun.router)

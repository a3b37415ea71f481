"""JSON for machines, under /api/v1 (docs/api.md). The same market functions as the pages, no second set of rules."""

from storefront.api import listings, orders, payments, people, places, placing, produce, reports

PREFIX = "/api/v1"
# The application looks through them in this order: what comes in rushes stands first. One router inside another costs
# every call a tenth of a millisecond, so these stand on the application itself.
routers = [noun.router for noun in (placing, listings, orders, payments, produce, places, reports, people)]

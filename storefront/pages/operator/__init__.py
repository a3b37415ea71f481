"""The administrator's door: who may do what in a division, and everything a county needs before it can sell."""

from storefront.pages.operator import (
    households,
    imports,
    payees,
    people,
    slaughter_points,
    stations,
    stops,
    villages,
    work_units,
)

routers = [
    people.router, stations.router, work_units.router, stops.router, slaughter_points.router, households.router,
    villages.router, imports.router, payees.router,
]  # fmt: skip

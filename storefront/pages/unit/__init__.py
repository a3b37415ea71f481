"""The unit door: what a work unit's clerk, a stop's organiser and an agent do with orders."""

from storefront.pages.unit import cash

routers = [cash.router]

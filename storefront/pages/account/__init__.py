"""The account door: signing in and out, who one is, how pages are shown."""

from storefront.pages.account import account, demo, preferences, sign_in

routers = [sign_in.router, account.router, preferences.router, demo.router]

"""`python -m storefront.commands COMMAND`."""

from storefront.commands import main

main()

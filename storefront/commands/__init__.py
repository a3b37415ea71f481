"""`bin/yigou COMMAND`: everything a county runs besides the pages. Each command is one short program."""

import logging
import sys

from sqlalchemy.exc import ProgrammingError

from market.ground.errors import MarketError
from storefront.commands import files, people, proofs, running
from storefront.commands.frame import app
from storefront.commands.running import web
from storefront.local import LauncherError

__all__ = ["app", "files", "main", "people", "proofs", "running", "web"]
_NOT_MIGRATED = ("42P01", "42703")
"""PostgreSQL's codes of a table or column that is not there."""


def main() -> None:
    """Run a command; what the market or the machine refuses is one sentence, not a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("yigou").setLevel(logging.INFO)
    try:
        app()
    except MarketError as error:
        sys.exit(f"{type(error).__name__}: {error.detail}")
    except (LauncherError, ValueError) as error:
        sys.exit(str(error))
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") not in _NOT_MIGRATED:
            raise
        sys.exit("The database is not of this version: run bin/yigou migrate first.")

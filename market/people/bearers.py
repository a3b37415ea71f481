"""Bearers of API tokens as they were read a moment ago, and what must still be true for that reading to stand."""

from dataclasses import dataclass, replace
from functools import cached_property

from market.people.accounts import Grant, Viewer, hash_of


@dataclass(frozen=True)
class Bearer:
    """Who a token stands for, with the grants they had when it was read."""

    token_hash: str
    viewer: Viewer

    @cached_property
    def grants_seen(self) -> str:
        """The live grants' ids. Grants are given and ended, never changed: the same ids are the same rights."""
        return ",".join(str(grant.id) for grant in self.viewer.grants)


UNCHANGED = """
    (
        SELECT t.account_id FROM api_tokens t WHERE t.token_hash = a.token_hash AND t.revoked_at IS NULL
    ) = a.account_id AND a.grants_seen = coalesce((
        SELECT string_agg(g.id::text, ',' ORDER BY g.id) FROM grants g
        WHERE g.account_id = a.account_id AND g.ended_at IS NULL
    ), '')
"""
"""Of a statement that acts for the bearer in each row `a`: the token is not revoked, no grant was given or ended."""


def bearing(token: str, viewer: Viewer) -> Bearer:
    """The bearer as just read, apart from the session: its rows are emptied when its transaction is rolled back."""
    grants = tuple(Grant(**grant.model_dump()) for grant in viewer.grants)
    return Bearer(hash_of(token), replace(viewer, grants=grants))

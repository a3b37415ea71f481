"""The names of what lines of bank statements are found to be, and of what becomes of their money."""

from enum import StrEnum

CURRENCY = "CNY"
"""The only money the books know."""


class Outcome(StrEnum):
    """What a line was found to be. What is clear is acted on once the statement is taken; a person decides the rest."""

    EXACT = "exact"
    """The reference in one piece, and the amount that is due."""
    SPACED = "spaced"
    """The same, with the reference cut up by blanks or dashes."""
    REST = "rest"
    """What was still missing of an order paid in parts."""
    LATE = "late"
    """For an order whose time ran out; it holds if the goods are still there."""
    SEVERAL = "several"
    """Several references, and the amount is their sum."""
    PARTIAL = "partial"
    """Less than is due; further lines may complete it."""
    REFUND = "refund"
    """Money that went: a refund we owed, by its reference and amount."""

    OVER = "over"
    """More than is due."""
    UNDER = "under"
    """A little less than is due, as when a bank kept a fee."""
    MISSPELT = "misspelt"
    """One slip away from the only reference it can have meant, and the amount is right."""
    GUESSED = "guessed"
    """No reference, but payer and amount fit what is waited for."""
    ALREADY_PAID = "already_paid"
    CANCELLED = "cancelled"
    GOODS_GONE = "goods_gone"
    """For an order whose time ran out, and its goods are not there any more."""
    FREED = "freed"
    """It was a part of an order that no longer waits, or costs something else now."""
    NO_REFERENCE = "no_reference"
    WRONG_CURRENCY = "wrong_currency"
    BOUNCED = "bounced"
    """A refund of ours the bank sent back."""
    OUTGOING = "outgoing"
    """Money that went, and nothing we owed is named."""

    DUPLICATE = "duplicate"
    """The same line was taken before: nothing happens."""

    @property
    def is_clear(self) -> bool:
        """Whether nobody has to decide."""
        return self in _CLEAR


_CLEAR = frozenset(
    {
        Outcome.EXACT,
        Outcome.SPACED,
        Outcome.REST,
        Outcome.LATE,
        Outcome.SEVERAL,
        Outcome.PARTIAL,
        Outcome.REFUND,
    }
)


class RowState(StrEnum):
    """Where a line is."""

    PREVIEWED = "previewed"
    """Read from a file; nothing has happened."""
    SETTLING = "settling"
    """Its money is on its way to the orders it is for."""
    OPEN = "open"
    """A person has to decide about some of it."""
    DONE = "done"


class StatementState(StrEnum):
    """Where a statement is."""

    PREVIEWED = "previewed"
    """Brought and looked at: nothing has happened."""
    TAKEN = "taken"
    DISCARDED = "discarded"
    """Not taken after all; its lines are gone."""


class Use(StrEnum):
    """What a part of a line's money is for."""

    PAYMENT = "payment"
    REFUND = "refund"
    """It went to a buyer we owed it to."""
    BOUNCED = "bounced"
    """It is a refund of ours that came back: owed again."""
    RETURNED = "returned"
    """It went back to where it came from, by another line."""
    FOREIGN = "foreign"
    """It has nothing to do with the market."""
    CASH_DEPOSIT = "cash_deposit"
    """Cash of the market paid in at the bank."""
    PAYOUT = "payout"
    """It went to a household."""
    DUPLICATE = "duplicate"
    """The same money stands on another line already."""


ASIDE = (Use.FOREIGN, Use.CASH_DEPOSIT, Use.PAYOUT, Use.DUPLICATE)
"""Uses that put money aside: the books know nothing of it, or know it already by another name."""


class PartState(StrEnum):
    """How far a part is."""

    PROPOSED = "proposed"
    """The market found it; nobody agreed yet."""
    AGREED = "agreed"
    """A person agreed, or took the statement in which it was clear; it will be done."""
    DONE = "done"
    VOID = "void"
    """It could not be done, was taken back, or its order no longer waits."""


STANDING = (PartState.AGREED, PartState.DONE)

"""What a line of a bank's statement means, from what the market waits for. The same in, the same out: no database here.

Whoever takes a statement has seen exactly this. What is not clear is only proposed, and a person decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Protocol
from uuid import UUID

from market.trade.orders import HOLDING, OrderState
from payments import references
from payments.outcomes import CURRENCY, Outcome, Use
from payments.references import Misspellings

_FEE_FEN = 5000
_FEE_SHARE = 10
"""A shortfall of at most 50 yuan and a tenth looks like a bank's fee or a slip, a larger one like a part."""
_MOST_SUMMED = 12
"""Of so many open orders of one payer, sums are tried; of more, too many would fit by chance."""
_CAME_BACK = ("退汇", "退票", "退回", "冲正", "汇款失败", "转账失败", "入账失败")


class Movement(Protocol):
    """What is read of a line: of a file's or of one that is kept."""

    @property
    def amount_fen(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def memo(self) -> str: ...


@dataclass(frozen=True)
class Expected:
    """A reference that was given, and how its order stands."""

    payment_id: UUID
    reference: str
    order_no: str
    order_state: OrderState
    due_fen: int
    """What is still missing; of what no longer waits, its whole amount."""
    waits: bool
    """Whether the attempt is open, so that a part of it may come."""
    has_parts: bool = False
    names: frozenset[str] = frozenset()
    """What its payer may be called, squeezed: the work unit, its short name, or the buyer."""

    @property
    def is_open(self) -> bool:
        """Whether its order holds goods and waits for money."""
        return self.order_state in HOLDING


@dataclass(frozen=True)
class Owed:
    """A refund that goes, or went, back by transfer."""

    refund_id: UUID
    reference: str
    """Its payment's; of money no order needed, which nobody was asked for, the number of the order it hangs on."""
    amount_fen: int
    names: frozenset[str] = frozenset()
    serial: str = ""
    """Of one a person has recorded already: the bank's number of it."""
    is_done: bool = False
    is_told: bool = False
    """Whether a line has told of it already."""


@dataclass(frozen=True)
class Proposal:
    """What some of a line's money may be for."""

    use: Use
    amount_fen: int
    payment_id: UUID | None = None
    refund_id: UUID | None = None
    other_row_id: int | None = None


@dataclass(frozen=True)
class Match:
    """What a line was found to be, and what is proposed for its money."""

    outcome: Outcome
    proposals: tuple[Proposal, ...] = ()


@dataclass
class Known:
    """Everything the market waits for in one county, and what lines seen before have taken of it."""

    expected: list[Expected] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Prepare for looking things up."""
        self._due = {found.payment_id: found.due_fen for found in self.expected}
        self._parts = {found.payment_id for found in self.expected if found.has_parts}
        self._by_reference = {found.reference: found for found in self.expected}
        self._by_no = {found.order_no: found for found in self.expected}
        self._misspellings = Misspellings(found.reference for found in self.expected if found.is_open)
        self._met: set[UUID] = set()

    def match(self, row: Movement) -> Match:
        """What the line means. Lines come in the order of their file: an earlier part makes a later one the rest."""
        if row.currency != CURRENCY:
            return Match(Outcome.WRONG_CURRENCY)
        found = self._came(row) if row.amount_fen > 0 else self._went(row)
        for proposal in found.proposals if found.outcome.is_clear else ():
            self._take(proposal)
        return found

    def _take(self, proposal: Proposal) -> None:
        if proposal.payment_id is not None:
            self._due[proposal.payment_id] -= proposal.amount_fen
            self._parts.add(proposal.payment_id)
        if proposal.refund_id is not None:
            self._met.add(proposal.refund_id)

    def _came(self, row: Movement) -> Match:
        named = self._named(references.written_in(row.memo), row.memo)
        scattered = [] if named else self._named(references.scattered_in(row.memo), "")
        if len(named) > 1 or len(scattered) > 1:
            return self._several(row, named or scattered)
        if named or scattered:
            return self._one(row, (named or scattered)[0], in_one_piece=bool(named))
        return self._bounced(row) or self._misspelt(row) or self._guessed(row) or Match(Outcome.NO_REFERENCE)

    def _named(self, written: Iterable[str], memo: str) -> list[Expected]:
        """The references a text names; the numbers of orders do as well."""
        found = [self._by_reference.get(one) for one in written]
        found += [self._by_no.get(one) for one in references.order_numbers_in(memo)]
        return list({one.payment_id: one for one in found if one is not None}.values())

    def _one(self, row: Movement, one: Expected, *, in_one_piece: bool) -> Match:
        due, amount = self._due[one.payment_id], row.amount_fen
        whole = Proposal(Use.PAYMENT, min(due, amount), payment_id=one.payment_id) if due > 0 else None
        if whole is None or one.order_state in (OrderState.PAID, OrderState.CANCELLED):
            return Match(Outcome.CANCELLED if one.order_state is OrderState.CANCELLED else Outcome.ALREADY_PAID)
        if amount > due:
            return self._over(row, one, whole)
        if amount < due:
            return self._part(one, whole, due - amount)
        return Match(self._whole(one, in_one_piece=in_one_piece), (whole,))

    def _whole(self, one: Expected, *, in_one_piece: bool) -> Outcome:
        if not one.is_open:
            return Outcome.LATE
        if one.payment_id in self._parts:
            return Outcome.REST
        return Outcome.EXACT if in_one_piece else Outcome.SPACED

    def _over(self, row: Movement, one: Expected, whole: Proposal) -> Match:
        """More than is due: perhaps another order of the same payer was meant as well."""
        rest = row.amount_fen - whole.amount_fen
        others = [other for other in self._waiting(one.names) if other.payment_id != one.payment_id]
        fitting = [other for other in others if self._due[other.payment_id] == rest]
        more = (Proposal(Use.PAYMENT, rest, payment_id=fitting[0].payment_id),) if len(fitting) == 1 else ()
        return Match(Outcome.OVER, (whole, *more) if one.is_open else ())

    def _part(self, one: Expected, part: Proposal, short_fen: int) -> Match:
        if not one.waits:
            return Match(Outcome.FREED)
        looks_like_fee = short_fen <= _FEE_FEN and short_fen * _FEE_SHARE <= part.amount_fen + short_fen
        return Match(Outcome.UNDER if looks_like_fee else Outcome.PARTIAL, (part,))

    def _several(self, row: Movement, named: list[Expected]) -> Match:
        """Several references: clear when all wait and the amount is their sum."""
        open_ones = [one for one in named if one.is_open and self._due[one.payment_id] > 0]
        proposals = tuple(
            Proposal(Use.PAYMENT, self._due[one.payment_id], payment_id=one.payment_id) for one in open_ones
        )
        due = sum(proposal.amount_fen for proposal in proposals)
        if len(open_ones) == len(named) and due == row.amount_fen:
            return Match(Outcome.SEVERAL, proposals)
        if due > row.amount_fen:
            return Match(Outcome.UNDER)
        return Match(Outcome.OVER, proposals) if proposals else Match(Outcome.ALREADY_PAID)

    def _misspelt(self, row: Movement) -> Match | None:
        meant = self._misspellings.meant_by(row.memo)
        if len(meant) != 1:
            return None
        one = self._by_reference[meant.pop()]
        if self._due[one.payment_id] != row.amount_fen:
            return None
        return Match(Outcome.MISSPELT, (Proposal(Use.PAYMENT, row.amount_fen, payment_id=one.payment_id),))

    def _guessed(self, row: Movement) -> Match | None:
        """By payer and amount: the only order, or the only orders together, that fit."""
        waiting = self._waiting(frozenset({plain_name(row.name)}))
        if not waiting or len(waiting) > _MOST_SUMMED:
            return None
        for count in range(1, len(waiting) + 1):
            fits = [
                some for some in combinations(waiting, count)
                if sum(self._due[one.payment_id] for one in some) == row.amount_fen
            ]  # fmt: skip
            if fits:
                proposals = (
                    Proposal(Use.PAYMENT, self._due[one.payment_id], payment_id=one.payment_id) for one in fits[0]
                )
                return Match(Outcome.GUESSED, tuple(proposals) if len(fits) == 1 else ())
        return None

    def _waiting(self, names: frozenset[str]) -> list[Expected]:
        """What is open for payers called like this."""
        return [
            one for one in self.expected
            if one.is_open and self._due[one.payment_id] > 0 and is_called(names, one.names)
        ]  # fmt: skip

    def _bounced(self, row: Movement) -> Match | None:
        """A refund of ours that came back: the bank says so, and the amount is that of one that went."""
        if not any(word in row.memo for word in _CAME_BACK):
            return None
        went = [one for one in self.owed if one.is_done and one.amount_fen == row.amount_fen]
        named = [one for one in went if is_called(frozenset({plain_name(row.name)}), one.names)] or went
        proposals = (Proposal(Use.BOUNCED, row.amount_fen, refund_id=named[0].refund_id),) if len(named) == 1 else ()
        return Match(Outcome.BOUNCED, proposals)

    def _went(self, row: Movement) -> Match:
        """Money that went: a refund by its reference or the bank's number is clear, by payee and amount proposed."""
        amount = -row.amount_fen
        fitting = [
            one for one in self.owed
            if one.amount_fen == amount and not one.is_told and one.refund_id not in self._met
        ]  # fmt: skip
        said = {*references.written_in(row.memo), *references.scattered_in(row.memo)}
        said.update(references.order_numbers_in(row.memo))
        serial = getattr(row, "serial", "")
        named = [one for one in fitting if one.reference in said or (serial and one.serial == serial)]
        if named:
            return Match(Outcome.REFUND, (Proposal(Use.REFUND, amount, refund_id=named[0].refund_id),))
        called = [one for one in fitting if is_called(frozenset({plain_name(row.name)}), one.names)]
        proposals = (Proposal(Use.REFUND, amount, refund_id=called[0].refund_id),) if len(called) == 1 else ()
        return Match(Outcome.OUTGOING, proposals)


def plain_name(name: str) -> str:
    """A name as it is compared: without blanks, brackets and the ends banks add."""
    return "".join(sign for sign in name if sign.isalnum())


def is_called(given: frozenset[str], known: frozenset[str]) -> bool:
    """Whether one of the names is one of the other's, or its beginning: `离石区人社局食堂` pays for `离石区人社局`."""
    return any(
        one and other and (one == other or (len(other) > 3 and one.startswith(other)))  # noqa: PLR2004  not a person's
        for one in given
        for other in known
    )

"""Amounts: what people type, what they read, and the one rounding rule."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.ground.errors import Malformed
from market.ground.money import decimal_yuan, format_yuan, parse_yuan, per_weight_fen, weighed_fen

FEN = st.integers(min_value=0, max_value=999_999_999)


@pytest.mark.parametrize(
    ("typed", "fen"),
    [("35", 3500), ("35.5", 3550), ("0.05", 5), ("¥1,234.50", 123450), ("￥8", 800), ("１２.３", 1230), ("8元", 800)],
)
def test_what_people_type_is_understood(typed: str, fen: int) -> None:
    assert parse_yuan(typed) == fen


@pytest.mark.parametrize("typed", ["", "-1", "1.234", "abc", "1e5", "99999999", "1..2", "NaN", "٣", ". 5"])
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(Malformed):
        parse_yuan(typed)


@given(FEN)
def test_a_written_amount_reads_back_the_same(fen: int) -> None:
    assert parse_yuan(format_yuan(fen)) == fen
    assert parse_yuan(decimal_yuan(fen)) == fen


@given(FEN)
def test_a_debt_is_the_amount_with_a_sign(fen: int) -> None:
    assert format_yuan(-fen).removeprefix("-") == format_yuan(fen)


@given(st.integers(0, 10_000_000), st.integers(1, 100_000))
def test_weighed_price_is_rounded_half_up_once(grams: int, price: int) -> None:
    exact = Fraction(grams * price, 500)
    assert abs(weighed_fen(grams, price) - exact) <= Fraction(1, 2)
    assert weighed_fen(grams, price) >= exact - Fraction(1, 2)
    if exact % 1 == Fraction(1, 2):
        assert weighed_fen(grams, price) > exact


@given(st.integers(1, 1_000_000), st.integers(1, 100_000))
def test_the_price_of_the_packs_own_weight_is_the_packs_price(price: int, grams: int) -> None:
    assert per_weight_fen(price, grams, grams) == price

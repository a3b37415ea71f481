"""Price bands: they scale with weight, never turn inside out, and one 斤 is half a 公斤."""

from hypothesis import given
from hypothesis import strategies as st

from market.goods.produce import ProduceMeasure, band
from market.ground.measure import Measure, parse_measure

PRICES = st.lists(st.integers(1, 1_000_000), min_size=4, max_size=4).map(sorted)
GRAMS = st.integers(1, 100_000)


def row(measure: Measure, prices: list[int], per_grams: int | None) -> ProduceMeasure:
    least, low, high, most = prices
    return ProduceMeasure(
        produce_code="x",
        measure=measure,
        per_grams=per_grams,
        least_fen=least,
        low_fen=low,
        high_fen=high,
        most_fen=most,
        most_quantity=1,
    )


@given(PRICES, GRAMS, GRAMS)
def test_a_band_is_in_order_whatever_the_weight(prices: list[int], per_grams: int, pack_grams: int) -> None:
    found = band(row(Measure.BAG, prices, per_grams), pack_grams)
    assert found.least_fen > 0
    assert found.low_fen <= found.high_fen
    assert found.least_fen <= max(1, found.low_fen)
    assert found.high_fen <= found.most_fen


@given(PRICES)
def test_a_kilogram_costs_what_two_jin_cost(prices: list[int]) -> None:
    jin, kg = (band(row(measure, prices, 500), None) for measure in (Measure.JIN, Measure.KG))
    assert (kg.low_fen, kg.high_fen) == (2 * jin.low_fen, 2 * jin.high_fen)


@given(PRICES, st.none() | GRAMS)
def test_a_piece_costs_what_its_row_says(prices: list[int], pack_grams: int | None) -> None:
    found = band(row(Measure.PIECE, prices, None), pack_grams)
    assert [found.least_fen, found.low_fen, found.high_fen, found.most_fen] == prices


@given(PRICES, st.integers(1, 2_000_000))
def test_every_price_stands_somewhere_and_the_band_itself_is_usual(prices: list[int], price: int) -> None:
    found = band(row(Measure.PIECE, prices, None), None)
    assert found.place(price) in {"low", "usual", "high"}
    assert found.place(found.low_fen) == "usual"
    assert found.place(found.high_fen) == "usual"


@given(st.sampled_from(list(Measure)))
def test_a_measures_word_is_understood_and_weight_or_count_is_known(measure: Measure) -> None:
    assert parse_measure(measure.value) is measure
    assert not (measure.is_pack and measure.fixed_grams)

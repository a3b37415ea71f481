"""A reference is told from everything it could be mistaken for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments import references
from payments.references import ALPHABET, LENGTH, Misspellings

ANY = st.builds(references.new)
SIGN = st.sampled_from(ALPHABET)
PLACE = st.integers(0, LENGTH - 1)


@given(ANY)
def test_a_new_one_is_one_and_has_no_look_alikes(reference: str) -> None:
    assert references.is_one(reference)
    assert re.fullmatch(r"[A-HJKMNP-Z][2-9A-HJKMNP-Z]{6}", reference)


@given(ANY, PLACE, SIGN)
def test_one_wrong_character_is_noticed(reference: str, at: int, sign: str) -> None:
    wrong = reference[:at] + sign + reference[at + 1 :]
    assert references.is_one(wrong) is (wrong == reference)


@given(ANY, PLACE, PLACE)
def test_two_swapped_characters_are_noticed_wherever_they_stand(reference: str, one: int, other: int) -> None:
    swapped = list(reference)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    assert references.is_one("".join(swapped)) is ("".join(swapped) == reference)


@pytest.mark.parametrize("remark", ["{}", "以购{}货款", "货款：{}。", "yg{}hk", "20261123{}", "ｙｇ {}", "{} {}"])
def test_it_is_found_where_it_stands_in_one_piece(remark: str) -> None:
    reference = references.new()
    assert reference in references.written_in(remark.format(reference, reference))
    assert reference in references.written_in(remark.format(reference.lower(), reference))


@pytest.mark.parametrize("gap", [" ", "-", "．", "\n", "/", "　"])
def test_it_is_found_cut_up(gap: str) -> None:
    reference = references.new()
    cut = f"以购 {reference[:3]}{gap}{reference[3:5]}{gap}{reference[5:]} 货款"
    assert reference not in references.written_in(cut)
    assert reference in references.scattered_in(cut)


@given(ANY, st.text(max_size=40))
def test_any_remark_can_be_looked_through(reference: str, remark: str) -> None:
    found = [*references.written_in(remark), *references.scattered_in(remark)]
    assert all(map(references.is_one, found))
    assert Misspellings([reference]).meant_by(remark) <= {reference}


@given(ANY, PLACE, st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_one_slip_is_understood(reference: str, at: int, sign: str) -> None:
    slips = [
        reference[:at] + sign + reference[at + 1 :],
        reference[:at] + reference[at + 1 :],
        reference[:at] + sign + reference[at:],
        reference[:at] + reference[at : at + 2][::-1] + reference[at + 2 :],
    ]
    known = Misspellings([reference])
    for slip in slips:
        assert known.meant_by(f"货款 {slip}，谢谢") == {reference}


def test_what_is_far_away_is_not_meant() -> None:
    known = Misspellings(["K7M3QX8"])
    assert known.meant_by("ABCDEFG 2026-11-23 7000.00") == set()


def test_people_read_it_in_two_groups() -> None:
    assert references.grouped("K7M3QX8") == "K7M 3QX8"

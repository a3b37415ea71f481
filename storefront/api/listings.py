"""What is on sale, and what households put up."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import AliasChoices, BaseModel, Field

from market.goods import catalogue, listings
from market.goods.catalogue import Card, Sort, Wanted
from market.goods.listings import ListingState, Offer
from market.ground.errors import Malformed
from market.ground.measure import Measure
from market.people import households
from storefront import words
from storefront.api.faults import faults, faults_of_a_change
from storefront.api.fields import (
    AskedFen,
    Code,
    Count,
    Description,
    Fen,
    Id,
    Page,
    Paged,
    PathId,
    Title,
    Word,
)
from storefront.api.keys import Call, CallDep
from storefront.api.routes import noun
from storefront.deps import SessionDep

router = noun("listings")


class ListingQuery(Paged):
    """What a buyer is looking for."""

    q: Annotated[Word, Field(description="Chinese words, pinyin or initials: 南瓜, nangua, 梁家焉 羊肉.")] = ""
    produce: Annotated[Code, Field(description="Code of a produce, from GET /produce.")] = ""
    division: Annotated[Word, Field(description="Code of a place; everything inside it is found.")] = ""
    min_fen: AskedFen | None = None
    max_fen: AskedFen | None = None
    sort: Annotated[Sort, Field(description="Newest, cheapest or dearest first.")] = Sort.NEW


class ListingCard(BaseModel):
    """One offer, as every buyer may see it."""

    id: int
    state: ListingState
    title: str
    produce: str
    produce_name: str
    produce_name_en: str
    measure: Measure
    grams_each: Annotated[int | None, Field(description="Weight of one in grams, where it is known.")]
    price_fen: Annotated[int, Field(description="Price of one of the measure.")]
    jin_fen: Annotated[int | None, Field(description="Price per 斤 (500 g), for comparing.")]
    kg_fen: Annotated[int | None, Field(description="Price per 公斤, for comparing.")]
    left: Annotated[int, Field(description="What the next buyer can have.")]
    note: str
    photo_url: Annotated[str | None, Field(description="Path of the photo on this host.")]
    grower: Annotated[str, Field(description="The name the household agreed to show.")]
    village: str
    division: str
    cold: Annotated[bool, Field(description="Travels chilled.")]
    storage_days: int | None
    listed_at: datetime

    @classmethod
    def of(cls, card: Card) -> Self:
        """The card for a machine."""
        return cls(
            id=card.id, state=card.state, title=card.title, produce=card.produce_code, produce_name=card.produce_name,
            produce_name_en=card.produce_name_en, measure=card.measure, grams_each=card.grams_each,
            price_fen=card.price_fen, jin_fen=card.jin_fen, kg_fen=card.kg_fen, left=max(0, card.left), note=card.note,
            photo_url=words.photo_url(card.photo, "page"), grower=card.grower, village=card.village,
            division=card.division_code, cold=card.cold, storage_days=card.storage_days, listed_at=card.listed_at,
        )  # fmt: skip


class ListingCards(Page[ListingCard]):
    """A page of offers."""


class NewListing(BaseModel):
    """What a household wants to put up."""

    household_id: Annotated[Id | None, Field(description="For whom. May be left out by a household itself.")] = None
    produce: Code
    measure: Measure
    price_fen: Fen
    quantity: Count
    grams_each: Annotated[Count | None, Field(description="Weight of one bag or box in grams.")] = None
    title: Title = ""
    note: Description = ""

    def offer(self) -> Offer:
        """The same in the market's words."""
        return Offer(
            produce_code=self.produce, measure=self.measure, price_fen=self.price_fen, quantity=self.quantity,
            grams_each=self.grams_each, title=self.title, note=self.note,
        )  # fmt: skip


class ListingChange(BaseModel):
    """A new price, a new number left to sell, or both."""

    price_fen: Fen | None = None
    left: Annotated[
        Count | None,
        Field(
            validation_alias=AliasChoices("left", "quantity"),
            description="Exactly this many are left to sell; what is ordered stays ordered. `quantity` means the same.",
        ),
    ] = None


@router.get("/listings", responses=faults(422))
async def list_listings(session: SessionDep, query: Annotated[ListingQuery, Query()]) -> ListingCards:
    """What is on sale now and not sold out. No token needed."""
    found = await catalogue.find(session, Wanted(**query.model_dump()))
    return ListingCards(items=[ListingCard.of(card) for card in found.items], next=found.next)


@router.get("/listings/{listing_id}", responses=faults(404, 422))
async def show_listing(session: SessionDep, listing_id: PathId) -> ListingCard:
    """One offer, also when it is sold out or withdrawn. No token needed."""
    return ListingCard.of(await catalogue.card(session, listing_id))


@router.post("/listings", status_code=201, responses=faults_of_a_change())
async def create_listing(asked: NewListing, call: CallDep) -> ListingCard:
    """Put an offer on sale: as a household, or as the agent of one (`household_id`)."""
    household = await households.seller(call.session, call.caller, asked.household_id)
    listing = await listings.put_up(call.session, call.caller, household, asked.offer(), now=call.now)
    return await _shown(call, listing.id or 0)


@router.patch("/listings/{listing_id}", responses=faults_of_a_change(refused="`NotMovable`: it is withdrawn."))
async def change_listing(asked: ListingChange, listing_id: PathId, call: CallDep) -> ListingCard:
    """Change price or stock of an offer. Orders already placed keep their price."""
    if asked.price_fen is None and asked.left is None:
        raise Malformed("price_fen", "missing")
    if asked.price_fen is not None:
        await listings.change_price(call.session, call.caller, listing_id, asked.price_fen, now=call.now)
    if asked.left is not None:
        await listings.change_left(call.session, call.caller, listing_id, asked.left, now=call.now)
    return await _shown(call, listing_id)


@router.post("/listings/{listing_id}/withdrawal", responses=faults_of_a_change())
async def create_withdrawal(listing_id: PathId, call: CallDep) -> ListingCard:
    """Stop selling an offer. Saying it twice is harmless."""
    await listings.withdraw(call.session, call.caller, listing_id, now=call.now)
    return await _shown(call, listing_id)


async def _shown(call: Call, listing_id: int) -> ListingCard:
    return call.keep(ListingCard.of(await catalogue.card(call.session, listing_id)))

"""Where pictures lie: in a folder, or in a store that is spoken to by the S3 protocol over a real socket."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient
from obstore.store import MemoryStore
from PIL import Image
from starlette.datastructures import UploadFile

from market.ground.errors import NotFound, Unavailable
from market.ground.settings import Settings
from storefront import photos
from storefront.app import create_app
from storefront.storage import Storage, open_storage
from tests.s3 import BUCKET, Store, running_store


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with running_store() as running:
        yield running


@pytest.fixture
def plain(tmp_path: Path) -> Settings:
    return Settings(database_url="postgresql://nobody@localhost/none", demo=True, var=tmp_path, worker_in_web=False)


def _upload(colour: str = "green") -> UploadFile:
    packed = BytesIO()
    Image.new("RGB", (900, 600), colour).save(packed, "JPEG")
    packed.seek(0)
    return UploadFile(packed, filename="a.jpg")


@pytest.mark.parametrize("where", ["folder", "memory", "s3"])
async def test_what_is_kept_is_read_again(plain: Settings, store: Store, where: str) -> None:
    opened = {
        "folder": open_storage(plain),
        "memory": Storage(MemoryStore()),
        "s3": open_storage(store.settings(plain)),
    }[where]
    content = await photos.keep(_upload(), opened)
    for size in photos.SIZES:
        kept = await opened.read(f"photos/{content}-{size}.webp")
        assert Image.open(BytesIO(kept)).format == "WEBP"
    assert await photos.keep(_upload(), opened) == content
    with pytest.raises(NotFound):
        await opened.read(f"photos/{'0' * 32}-card.webp")


async def test_objects_lie_under_bucket_and_prefix_as_pictures(plain: Settings, store: Store) -> None:
    content = await photos.keep(_upload(), open_storage(store.settings(plain)))
    name = f"/{BUCKET}/market/photos/{content}-card.webp"
    assert store.objects[name][8:12] == b"WEBP"
    assert store.types[name] == "image/webp"
    assert not list(plain.var.glob("*/*"))


async def test_a_wrong_key_keeps_nothing_and_says_unavailable(plain: Settings, store: Store) -> None:
    before, refused = dict(store.objects), len(store.refused)
    with pytest.raises(Unavailable):
        await open_storage(store.settings(plain, secret="not it")).keep("photos/x.webp", b"x")
    assert store.objects == before
    assert len(store.refused) > refused


async def test_a_store_that_is_away_is_unavailable(plain: Settings) -> None:
    with running_store() as gone:
        settings = gone.settings(plain)
    with pytest.raises(Unavailable):
        await open_storage(settings).keep("photos/x.webp", b"x")


async def test_a_folder_that_cannot_be_written_is_unavailable(plain: Settings) -> None:
    storage = open_storage(plain)
    (plain.var / "photos").rmdir()
    (plain.var / "photos").write_bytes(b"in the way")
    with pytest.raises(Unavailable):
        await storage.keep("photos/x.webp", b"x")


@pytest.mark.parametrize("url", ["https://bucket.example", "s3:///prefix", "bucket"])
def test_an_address_that_names_no_bucket_is_refused_at_the_start(plain: Settings, url: str) -> None:
    with pytest.raises(ValueError, match="YIGOU_PHOTOS_URL"):
        open_storage(plain.model_copy(update={"photos_url": url}))


@asynccontextmanager
async def _market(settings: Settings) -> AsyncIterator[AsyncClient]:
    app = create_app(settings)
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://shop.test") as http:
        yield http
    await app.state.yigou.close()


@pytest.mark.parametrize("where", ["folder", "s3"])
async def test_photos_are_shown_from_wherever_they_lie_and_papers_never(
    plain: Settings, store: Store, where: str
) -> None:
    settings = plain if where == "folder" else store.settings(plain)
    storage = open_storage(settings)
    content, paper = await photos.keep(_upload(), storage), await photos.keep_paper(_upload("white"), storage)
    async with _market(settings) as http:
        shown = await http.get(f"/photos/{content}-card.webp")
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/webp")
        assert "immutable" in shown.headers["cache-control"]
        assert Image.open(BytesIO(shown.content)).width == 480
        for hidden in (f"/photos/{'0' * 32}-card.webp", f"/photos/{paper}-page.webp", f"/papers/{paper}-page.webp",
                       f"/photos/../papers/{paper}-page.webp", f"/photos/%2e%2e/papers/{paper}-page.webp"):  # fmt: skip
            assert (await http.get(hidden)).status_code == 404, hidden


async def test_browsers_are_sent_on_where_they_may_fetch_photos_themselves(plain: Settings, store: Store) -> None:
    settings = store.settings(plain, public="https://pictures.example/market/")
    content = await photos.keep(_upload(), open_storage(settings))
    async with _market(settings) as http:
        sent = await http.get(f"/photos/{content}-card.webp")
        assert sent.status_code == 308
        assert sent.headers["location"] == f"https://pictures.example/market/photos/{content}-card.webp"
        assert "https://pictures.example;" in sent.headers["content-security-policy"]
        assert (await http.get("/photos/nonsense")).status_code == 404


async def test_a_market_without_such_an_address_lets_pictures_come_from_itself_only(plain: Settings) -> None:
    async with _market(plain) as http:
        policy = (await http.get("/healthz")).headers["content-security-policy"]
    assert "img-src 'self' data: blob:;" in policy

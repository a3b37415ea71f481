"""The photo that comes with a form of this door."""

from collections.abc import Awaitable, Callable
from io import BytesIO

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.datastructures import UploadFile

from market.goods import uploads
from market.ground.errors import Malformed, Unavailable
from market.people.accounts import Viewer
from storefront import photos
from storefront.forms import Form
from storefront.storage import Storage
from storefront.texts import gettext as _

Keep = Callable[[UploadFile, Storage], Awaitable[str]]


async def photo_in(session: AsyncSession, by: Viewer, form: Form, storage: Storage) -> str | None:
    """The form's photo, kept; what is wrong with it goes into the form."""
    await _fetch(session, by, form, "photo")
    return await _kept(form, "photo", storage, photos.keep)


async def certificate_in(session: AsyncSession, by: Viewer, form: Form, storage: Storage) -> str | None:
    """The form's photo of a certificate, kept where the shop cannot show it."""
    await _fetch(session, by, form, "certificate_photo")
    return await _kept(form, "certificate_photo", storage, photos.keep_paper)


async def sheet_in(form: Form, storage: Storage) -> str | None:
    """The form's photo of a sheet somebody signed, kept in the same place."""
    return await _kept(form, "sheet_photo", storage, photos.keep_paper)


async def _fetch(session: AsyncSession, by: Viewer, form: Form, field: str) -> None:
    """A photo that came ahead of its form, in parts, is put where one inside the form would be."""
    name, size = form.text(f"{field}_upload", most=40), form.seen(f"{field}_size")
    if not name or field in form.files:
        return
    data = await uploads.whole(session, by.id, name, size=size or 0)
    if data is not None:
        await uploads.forget(session, by.id, name)
        form.files = {**form.files, field: UploadFile(BytesIO(data), size=len(data), filename="photo.jpg")}


async def _kept(form: Form, field: str, storage: Storage, keep: Keep) -> str | None:
    upload = form.files.get(field)
    if upload is None:
        form.errors[field] = _("还没有照片，请先拍一张或选一张")
        return None
    try:
        return await keep(upload, storage)
    except Malformed as error:
        form.reject(field, error.problem)
    except Unavailable:
        form.errors[field] = _("照片暂时存不进去，请过一会儿再试")
    return None

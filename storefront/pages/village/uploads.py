"""The photo that comes with a form of this door."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import UploadFile

from market.ground.errors import Malformed, Unavailable
from storefront import photos
from storefront.forms import Form
from storefront.storage import Storage
from storefront.texts import gettext as _

Keep = Callable[[UploadFile, Storage], Awaitable[str]]


async def photo_in(form: Form, storage: Storage) -> str | None:
    """The form's photo, kept; what is wrong with it goes into the form."""
    return await _kept(form, "photo", storage, photos.keep)


async def certificate_in(form: Form, storage: Storage) -> str | None:
    """The form's photo of a certificate, kept where the shop cannot show it."""
    return await _kept(form, "certificate_photo", storage, photos.keep_paper)


async def sheet_in(form: Form, storage: Storage) -> str | None:
    """The form's photo of a sheet somebody signed, kept in the same place."""
    return await _kept(form, "sheet_photo", storage, photos.keep_paper)


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

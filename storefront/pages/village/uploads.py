"""The photo that comes with a form of this door."""

from market.ground.errors import Malformed, Unavailable
from storefront import photos
from storefront.forms import Form
from storefront.storage import Storage
from storefront.texts import gettext as _


async def photo_in(form: Form, storage: Storage) -> str | None:
    """The form's photo, kept; what is wrong with it goes into the form."""
    upload = form.files.get("photo")
    if upload is None:
        form.errors["photo"] = _("还没有照片，请先拍一张或选一张")
        return None
    try:
        return await photos.keep(upload, storage)
    except Malformed as error:
        form.reject_for(error)
    except Unavailable:
        form.errors["photo"] = _("照片暂时存不进去，请再试一次，或者先不放照片")
    return None

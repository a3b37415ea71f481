"""The photo that comes with a form of this door."""

from pathlib import Path

from market.ground.errors import Malformed
from storefront import photos
from storefront.forms import Form
from storefront.texts import gettext as _


async def photo_in(form: Form, folder: Path) -> str | None:
    """The form's photo, kept; what is wrong with it goes into the form."""
    upload = form.files.get("photo")
    if upload is None:
        form.errors["photo"] = _("还没有照片，请先拍一张或选一张")
        return None
    try:
        return await photos.keep(upload, folder)
    except Malformed as error:
        form.reject_for(error)
        return None

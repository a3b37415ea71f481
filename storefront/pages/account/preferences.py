"""How pages are shown in this browser: language, size of text, contrast."""

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from storefront.deps import PageDep
from storefront.forms import read_form
from storefront.render import local_path, read_prefs, write_prefs
from storefront.texts import LANGUAGES

router = APIRouter()
_YEAR_SECONDS = 365 * 24 * 3600


@router.post("/preferences")
async def change_preferences(request: Request, page: PageDep) -> Response:
    """Remember one choice and show the same page again."""
    form = await read_form(request)
    response = page.redirect(local_path(form.text("next")))
    prefs = read_prefs(request)
    for name in ("size", "contrast"):
        if form.text(name):
            prefs = replace(prefs, **{name: form.text(name)})
    write_prefs(response, prefs)
    if form.text("lang") in LANGUAGES:
        response.set_cookie("lang", form.text("lang"), max_age=_YEAR_SECONDS, samesite="lax")
    return response

"""Photos of goods: what a phone sends becomes three small WebP files without a trace of place, device or time."""

import hashlib
import logging
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pillow_heif
from anyio import CapacityLimiter, to_thread
from PIL import Image, ImageCms, ImageOps
from starlette.datastructures import UploadFile

from market.ground.errors import Malformed

SIZES: Mapping[str, int] = {"page": 1080, "card": 480, "thumb": 160}
"""Longest side in pixels."""
MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 50_000_000
"""The largest phone cameras; a picture that unpacks to more is a bomb."""

log = logging.getLogger("yigou.photos")
_FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
# Phones write a second picture (depth, gain map) into a JPEG (then called MPO) or a HEIF: the first one is the photo.
_MANY_PICTURES = ("MPO", "HEIF")
_QUALITY = 76
_AT_ONCE = CapacityLimiter(2)
"""A large photo unpacks to some 150 MB: no more than two at a time in a process."""

Image.init()
pillow_heif.register_heif_opener()
# Pillow only warns between its own limit and twice of it; ours is checked below, before a pixel is unpacked.
Image.MAX_IMAGE_PIXELS = None


async def keep(upload: UploadFile, folder: Path) -> str:
    """Keep a photo in three sizes; returns the content hash its files are named after.

    Raises Malformed("photo", …): `too_large` above 12 MB or 50 megapixels, `not_a_photo` for anything else than one
    still JPEG, PNG, WebP or HEIC picture.
    """
    data = await upload.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Malformed("photo", "too_large", str(upload.size or len(data)))
    return await to_thread.run_sync(_keep, data, folder, limiter=_AT_ONCE)


def _keep(data: bytes, folder: Path) -> str:
    photo = _read(data)
    files = {name: _packed(photo, side) for name, side in SIZES.items()}
    content = hashlib.blake2b(files["page"], digest_size=16).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    for name, packed in files.items():
        _write(folder / f"{content}-{name}.webp", packed)
    return content


def _read(data: bytes) -> Image.Image:
    """The picture upright, in sRGB, no larger than the largest size."""
    try:
        image = Image.open(BytesIO(data), formats=_FORMATS)
        _check(image)
        # A JPEG is unpacked at a fraction of its size here, which makes the largest camera photo quick.
        image.thumbnail((SIZES["page"], SIZES["page"]), Image.Resampling.LANCZOS)
        return _in_srgb(ImageOps.exif_transpose(image))
    except Malformed:
        raise
    # The decoders of five formats meet hostile bytes: whatever they raise says the same to the person.
    except Exception as error:
        log.info("no photo: %r", error)
        raise Malformed("photo", "not_a_photo", type(error).__name__) from error


def _check(image: Image.Image) -> None:
    """Refuse bombs and films by what the file says of itself, before a pixel is unpacked."""
    if image.width * image.height > MOST_PIXELS:
        raise Malformed("photo", "too_large", f"{image.width} x {image.height}")
    if getattr(image, "is_animated", False) and image.format not in _MANY_PICTURES:
        raise Malformed("photo", "not_a_photo", "animated")


def _in_srgb(image: Image.Image) -> Image.Image:
    """The same colours as plain RGB on white, with nothing else attached."""
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer.getchannel("A"))
    image = image.convert("RGB")
    if profile:
        image = _from_profile(image, profile)
    image.info.clear()
    return image


def _from_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours of a phone's wide screen as every screen shows them; as they are when the profile is odd."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        changed = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image
    return changed or image


def _packed(photo: Image.Image, side: int) -> bytes:
    smaller = photo.copy()
    smaller.thumbnail((side, side), Image.Resampling.LANCZOS)
    packed = BytesIO()
    smaller.save(packed, "WEBP", quality=_QUALITY, method=4)
    return packed.getvalue()


def _write(path: Path, data: bytes) -> None:
    """All of the file or none: a reader never sees half, and two writers of the same photo do not meet."""
    if path.exists():
        return
    partial = path.with_name(f".{path.name}.{uuid4().hex}")
    partial.write_bytes(data)
    partial.replace(path)

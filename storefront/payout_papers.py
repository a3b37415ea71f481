"""Proofs of payouts: a photo or the bank's own PDF, kept where the shop cannot show it."""

import hashlib

from starlette.datastructures import UploadFile

from market.books.payout_proofs import PayoutProof, ProofKind
from market.ground.errors import Malformed
from storefront import photos
from storefront.storage import PAPERS, Storage

_PDF = b"%PDF-"
_HEAD = 1024
"""A PDF names itself within its first kilobyte."""


async def keep(upload: UploadFile, storage: Storage) -> tuple[str, ProofKind]:
    """Keep the paper; returns its content hash and what it is.

    Raises Malformed("photo", …): `too_large` above 12 MB, `not_a_paper` for what is neither a picture nor a PDF;
    Unavailable when the store cannot be reached.
    """
    data = await upload.read(photos.MOST_BYTES + 1)
    if _PDF not in data[:_HEAD]:
        await upload.seek(0)
        try:
            return await photos.keep_paper(upload, storage), ProofKind.PHOTO
        except Malformed as error:
            raise Malformed(error.field, _problem(error.problem), error.given) from error
    if len(data) > photos.MOST_BYTES:
        raise Malformed("photo", "too_large", str(upload.size or len(data)))
    content = hashlib.blake2b(data, digest_size=16).hexdigest()
    await storage.keep(_name(content), data)
    return content, ProofKind.PDF


async def read(proof: PayoutProof, storage: Storage) -> tuple[bytes, dict[str, str]]:
    """The paper and how it is sent: a PDF is saved, never opened here, so nothing in it runs among our pages."""
    private = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}
    if proof.kind is ProofKind.PHOTO:
        return await photos.paper(proof.content, storage), {**private, "content-type": "image/webp"}
    name = f'attachment; filename="payout-{proof.batch_id}-{proof.id}.pdf"'
    sent = {**private, "content-type": "application/pdf", "content-disposition": name}
    return await storage.read(_name(proof.content)), sent


def _problem(problem: str) -> str:
    return "not_a_paper" if problem == "not_a_photo" else problem


def _name(content: str) -> str:
    return f"{PAPERS}/{content}.pdf"

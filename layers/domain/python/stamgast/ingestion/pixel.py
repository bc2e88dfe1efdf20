"""A pixel: an event in the address of a picture, and the picture that answers it."""

from base64 import b64decode
from dataclasses import replace

from stamgast.ingestion.request import Answer, Refusal, Request

# GIF89a, one transparent pixel.
PICTURE = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
AS_PICTURE = {"Content-Type": "image/gif"}


def pixel_data(told: str) -> bytes | Refusal:
    """The JSON of a pixel's `data`: base64 of either alphabet, with or without padding."""
    text = told.strip().replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return Refusal("invalid_base64")


def pictured(answer: Answer, request: Request) -> Answer:
    """The answer as the picture that was asked for; a refusal keeps its status.

    Whoever asks for no picture, as command lines do, reads a refusal's reason.
    """
    if answer.status != 200 and "image/" not in request.headers.get("accept", "").lower():
        return answer
    return replace(answer, body=PICTURE, headers={**answer.headers, **AS_PICTURE})

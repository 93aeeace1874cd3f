"""What people should know of the version of Shopify's API that answers us. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from invsyncd.config.shopify import ShopifySettings


@dataclass(frozen=True, slots=True)
class VersionNote:
    """Something about the version, and what to do about it."""

    message: str
    advice: str

    def __str__(self) -> str:
        return f"shopify: {self.message}; {self.advice}"


def version_notes(asked: str, served: str, deprecated: str) -> list[VersionNote]:
    """Whether Shopify still serves the version that we ask for, and every field.

    An unsupported version is answered by the oldest supported one (documented); `served` is empty
    before the first answer. `deprecated` is the reason that Shopify gave for the end of something.
    """
    notes: list[VersionNote] = []
    if served not in ("", asked):
        known = str(ShopifySettings.model_fields["api_version"].default)
        advice = f'set shopify.api_version = "{known}", or remove that line'
        if asked == known:
            advice = "install a newer invsyncd, which knows a version that Shopify serves"
        message = f"API version {asked} is requested, but Shopify answers with {served}"
        notes.append(VersionNote(message, advice))
    if deprecated:
        message = f"Shopify says that something we use will end: {deprecated}"
        advice = "install a newer invsyncd before Shopify stops serving this version"
        notes.append(VersionNote(message, advice))
    return notes

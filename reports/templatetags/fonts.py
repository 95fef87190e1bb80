"""Where the font of the pages is."""

from importlib import metadata

from django import template
from django.urls import reverse

from reports import webfonts

register = template.Library()


@register.simple_tag
def font_faces() -> str:
    """Return the address of the rules; blank where there is no font, so that a page about the trouble still shows."""
    try:
        return reverse("font", args=[f"faces.{webfonts.version()}.css"])
    except (metadata.PackageNotFoundError, ModuleNotFoundError, OSError):
        return ""

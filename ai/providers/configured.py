"""The provider of the settings."""

from django.conf import settings

from ai.providers.gemini import Gemini
from ai.providers.google_genai import GoogleGenai
from ai.providers.google_generativeai import GoogleGenerativeai

PROVIDERS: dict[str, type[Gemini]] = {
    provider.name: provider for provider in (GoogleGenerativeai, GoogleGenai)
}


def provider() -> Gemini:
    """Return the provider of the settings; without a key it can still say what it would send."""
    return PROVIDERS[settings.AI_PROVIDER](
        key=settings.GEMINI_API_KEY, model=settings.GEMINI_MODEL, base_url=settings.GEMINI_BASE_URL
    )

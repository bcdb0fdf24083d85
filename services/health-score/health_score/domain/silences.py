"""Sources that the whole fleet lacks at once: their measures stand still instead of turning every customer red."""

from collections.abc import Mapping
from types import MappingProxyType

Silences = Mapping[str, float]
"""Fact types that are silent for the whole fleet, and since when (epoch seconds)."""

NOTHING_SILENT: Silences = MappingProxyType({})

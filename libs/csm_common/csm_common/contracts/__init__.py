"""Everything that crosses a service boundary, defined once: the envelope, the facts, what services tell each other, the topics.

Payloads are frozen dataclasses, decoded by msgspec on hot paths and published by pydantic at the edges. Changes are additive;
a break is a `.v2` topic. Every event type keeps a golden example under tests/ that must decode for good.
"""

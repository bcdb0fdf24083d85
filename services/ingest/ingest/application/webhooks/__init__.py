"""Webhooks: whether a delivery is genuine, and what it tells. Pure; the route hands bytes in and messages on."""

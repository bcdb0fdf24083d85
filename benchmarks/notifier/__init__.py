"""How many messages the notifier sends, and what endpoints that hang cost the others."""

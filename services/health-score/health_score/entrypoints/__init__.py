"""The doors: HTTP for CS tooling. Kafka's door is the kernel's consumer, which calls the handler directly."""

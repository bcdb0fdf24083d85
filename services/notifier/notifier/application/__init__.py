"""What the service does: keep the directory, accept requests, deliver them. The outside comes in through ports."""

"""The kernel every service stands on; it knows no customer, score or playbook rule."""

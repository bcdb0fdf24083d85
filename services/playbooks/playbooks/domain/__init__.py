"""What a playbook is and how a run of it goes on: pure functions of (definition, run, now), on the standard library alone."""

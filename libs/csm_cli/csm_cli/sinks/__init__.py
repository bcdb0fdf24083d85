"""Where the embedded stack's messages end: a mail server that keeps mails and an endpoint that keeps webhooks."""

"""The application's ports on PostgreSQL, SMTP and Jinja2."""

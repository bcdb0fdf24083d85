"""What the service leans on: the brokers and the table of keys, watched from here."""

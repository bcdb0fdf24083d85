"""Apache Kafka as a child process: one KRaft node of Maven's jars, for the tests that only the real thing can pass or fail."""

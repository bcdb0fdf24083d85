"""The only place that knows Kafka clients: librdkafka produces, aiokafka consumes, PostgreSQL keeps the positions."""

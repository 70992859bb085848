"""The way in and the way through: gateway, durable streams, the two readers, archive."""

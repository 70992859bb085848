"""What the store reader knows of a shard beside its entries, and finds again after a restart."""

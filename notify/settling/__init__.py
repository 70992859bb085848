"""What a provider says later about a message."""

"""The daily message to relatives: consent, what is due, the text, the outbox, providers."""

"""Clinical rules: tables beside their source, and the small programs that read them."""

"""Which order sets the physicians of the site have approved."""

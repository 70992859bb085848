"""The places of a department as the site sets them: names, kinds, order, in use or not."""

"""Pages, sockets and device routes: what people and tablets see of the house."""

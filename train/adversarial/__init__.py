"""Training against discriminators: their networks, and the losses of both sides."""

"""A classifier that tells generated sound from recordings, on generators and recordings it has not heard (App. G)."""

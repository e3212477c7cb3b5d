"""Networks that others judge sound with: weights are a user's own files, and fit exactly or not at all."""

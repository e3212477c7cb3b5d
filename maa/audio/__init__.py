"""Sound outside the networks: files, the mel grid and its masks, splicing, loudness and settings inside files."""

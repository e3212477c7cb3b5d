"""Prompt enhancement (paper Sec. 3.2): templates, and clips composed to fit them."""

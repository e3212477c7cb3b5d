"""What `python -m train.evaluate` measures, one file for each question."""

"""Training: one readable script per stage over one small loop."""

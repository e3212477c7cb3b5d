"""How any stage is trained: the loop, its options, updates, captured steps and the journal. It knows no network."""

"""Captions for sounds without any: experts propose, CLAP ranks, a threshold keeps the faithful (Sec. 3.2.1)."""

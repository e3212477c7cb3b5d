"""A standing attack on everything that takes something from outside: `python -m tests.attack --minutes 10`."""

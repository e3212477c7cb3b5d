"""The program's version, written into every sound's settings."""

VERSION = "0.1.0"

"""Pictures and clips: frames for the networks to look at, and sound onto a clip without touching its picture."""

"""What a checkpoint may hold, judged by content: to be loaded here, and to be published (docs/checkpoints.md)."""

"""What somebody may send who means no good, or does not know better."""

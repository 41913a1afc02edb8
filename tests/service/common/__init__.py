"""What the scripts share: a service as a process, statements, an HTTP client, the tree."""

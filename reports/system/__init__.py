"""The system document: what the code consists of, drawn from the code itself."""

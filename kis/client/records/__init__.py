"""What the endpoints return: typed records by subject. Wire names appear in `from_row` and nowhere else."""

"""An order from its first word to its end, played through where nothing real can be touched."""

"""The transactions of the simulated broker, one module per subject; `table` lists them."""

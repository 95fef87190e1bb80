"""Where alerts come from: each source reads the books and yields what is new; none asks the broker."""

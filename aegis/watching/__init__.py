"""What others see who watch over the site from outside: whether it answers, how old its data is, and its figures."""

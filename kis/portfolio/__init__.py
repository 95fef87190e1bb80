"""Pure numbers of the books: no Django, no database, no clock. Won are int, rates are Decimal, floats nowhere."""

"""The cost of rows: tokens by kind, prices by date, and money computed from both."""

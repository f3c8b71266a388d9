"""What PostgreSQL could have answered: each read of a history is explained by a legal order, or named."""

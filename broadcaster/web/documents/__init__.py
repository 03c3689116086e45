"""The report of an alert as documents: the tables that all of them show, and each one's form."""

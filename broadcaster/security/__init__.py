"""Who is asking, what they may do and where, and the record of what they did."""

"""Email: subject and body rules and the drivers that relay them."""

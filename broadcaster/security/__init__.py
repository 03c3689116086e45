"""Security: accounts, tokens, permissions by region, and the audit trail."""

"""SM2 signatures of the emergency broadcast system, which platforms and terminals share: keys, who signs, seals."""
